import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { resolveJobs } from '../../../../supervisor/programs/jobs/settings.ts'
import { accepted, acceptedApps, refused, yaml } from '../../site/load-config.ts'

/** Counts what reads the data of time zones. */
function countZones(t: TestContext): () => number {
  const { DateTimeFormat } = Intl
  const calls = t.mock.method(Intl, 'DateTimeFormat', DateTimeFormat).mock
  return () => calls.callCount()
}

const jobsIn = (zone: string) =>
  Array.from({ length: 20 }, (_, at) => `  job-${at}: { schedule: "@daily", timezone: ${zone}, command: /bin/true }\n`)
const fileOf = (zone: string) => yaml(`app: { command: node server.js }\njobs:\n${jobsIn(zone).join('')}`)

describe('programs/jobs/settings', () => {
  it('read no data of time zones, which take 5 MB, if there are no jobs', t => {
    const zones = countZones(t)
    const world = { env: { TZ: 'Europe/Berlin' }, home: '/', umask: 0o022 }
    const complain = (key: string) => assert.fail(key)
    const found = resolveJobs({ config: acceptedApps({}), world, main: undefined, complain })
    assert.deepEqual(found, { jobs: [], areJobsOff: false })
    assert.equal(zones(), 0)
  })

  it('read none for UTC, and those of another zone once for all jobs', t => {
    const zones = countZones(t)
    accepted(fileOf('UTC'))
    assert.equal(zones(), 0)
    accepted(fileOf('Asia/Tokyo'))
    // by zod, and by what a start loads in its place
    assert.ok(zones() <= 2, String(zones()))
    assert.equal(refused(fileOf('Asia/Tokio')).length, 20)
  })

  it('accept once: cluster only with shared_state, and without what concerns one instance', () => {
    const file = (keys: string, state = 'shared_state: { url: "redis://redis:6379" }') =>
      yaml(
        `app: { command: node server.js }\n${state}\njobs: { a: { schedule: "@daily", command: /bin/true, ${keys} } }`,
      )
    assert.equal(accepted(file('once: cluster')).jobs.a?.once, 'cluster')
    const problems = (...given: Parameters<typeof file>) =>
      refused(file(...given)).map(({ key, problem, fix }) => `${key} ${problem}: ${fix}`)
    assert.deepEqual(problems('once: cluster', ''), [
      'jobs.a.once needs shared_state, in which the instances agree: set shared_state.url, or MONOHULL_JOBS=off on all instances but one',
    ])
    assert.deepEqual(problems('once: cluster, overlap: queue, on_start: true'), [
      'jobs.a.overlap cannot be used with once: cluster: remove it',
      'jobs.a.on_start cannot be used with once: cluster: remove it',
    ])
    assert.match(problems('once: each')[0] ?? '', /^jobs\.a\.once expected cluster/)
  })
})
