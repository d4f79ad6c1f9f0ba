// needs: redis-server
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Outcome } from '../../supervisor/base/outcome.ts'
import type { JobRun } from '../../supervisor/programs/jobs/operations.ts'
import type { JobStatus } from '../../supervisor/programs/jobs/status.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import { createReplicas, recordOf } from './job-replicas.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { startRedis } from './redis-server.ts'

/** Clocks that are five minutes off. */
const skews = [0, 300_000, -300_000]
/** Tolerance for a machine that is busy for some seconds. */
const patient = { jitterMs: 600_000 }

describe('jobs with once: cluster', { concurrency: 3 }, () => {
  it('run exactly once for each due time, while replicas with other clocks are killed, frozen and started', async t => {
    const world = await createReplicas(t, patient)
    const further = (count: number) => {
      const before = world.runs.size
      return until('further runs', () => world.runs.size >= before + count, { details: world.output })
    }
    let alive = skews.map(skew => world.start(skew))
    await further(2)
    for (let kills = 1; kills <= 2; kills++) {
      const [victim, ...others] = alive
      await until('the end of a run', world.isIdle)
      await victim?.kill()
      const successor = world.start(skews[kills])
      // the clocks of those that are left may be ten minutes behind: until one reaches the next due time, a start takes it for missed
      await until('the successor', () => successor.output().includes('job=report'), { details: world.output })
      alive = [...others, successor]
      await further(1)
    }
    const [frozen] = alive
    await until('the end of a run', world.isIdle)
    frozen?.process.kill('SIGSTOP')
    await further(2)
    frozen?.process.kill('SIGCONT')
    await further(1)
    await until('the end of a run', world.isIdle)
    const { ran, missed, skipped } = world.assertGapless()
    assert.deepEqual({ missed, skipped }, { missed: 0, skipped: 0 }, world.output())
    assert.equal(world.done(), ran)
    assert.ok([...world.runs.values()].every(({ result }) => result === 'success'))
  })

  it('are not run while Redis is frozen, and each due time of that time is reported once', async t => {
    const world = await createReplicas(t)
    for (const skew of skews) world.start(skew)
    await until('the first run', () => world.runs.size >= 1, { details: world.output })
    await until('the end of a run', world.isIdle)
    process.kill(world.redis.pid(), 'SIGSTOP')
    const unclaimed = /is due, but the shared state is unavailable job=report due=(\S+)/g
    const waiting = () => new Set([...world.output().matchAll(unclaimed)].map(([, due]) => due))
    await until('what is due', () => waiting().size >= 3, { details: world.output })
    process.kill(world.redis.pid(), 'SIGCONT')
    await until('the report', () => /job missed job=report/.test(world.output()), { details: world.output })
    const before = world.runs.size
    await until('further runs', () => world.runs.size >= before + 2, { details: world.output })
    await until('the end of a run', world.isIdle)
    const { missed } = world.assertGapless()
    assert.ok(missed > 0)
  })

  it('are shared by instances: what was missed is made up once, and a pause, a run and the history are seen by all', async t => {
    const redis = await startRedis(t)
    const jobs = `jobs:
  report: { schedule: "0 */2 * * *", once: cluster, catch_up: true, command: [sh, -c, 'echo made up >> "$DONE"'] }
  slow: { schedule: "@yearly", once: cluster, command: [sh, -c, 'while [ ! -e "$DONE.go" ]; do sleep 0.05; done'] }
`
    const hour = 3_600_000
    const seenAt = new Date(Date.now() - 5 * hour).toISOString()
    const state = { schedule: '0 */2 * * * UTC', seenAt, isPaused: false, runs: [] }
    await redis.cli('hset', recordOf('report'), 'value', JSON.stringify(state), 'version', '1')
    const folder = temporaryFolder(t)
    const done = join(folder, 'done')
    const instances = skews.map((skew, at) => {
      const files = {
        'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1, env: { DONE: ${done} } }\nshared_state: { url: "${redis.store}" }\n${jobs}`,
        offset: String(skew),
      }
      const own = temporaryFolder(t, files)
      const NODE_OPTIONS = `--require ${fixture('../set-clock.cjs')}`
      const env = { NODE_OPTIONS, CLOCK_OFFSET: join(own, 'offset'), TZ: 'UTC', MONOHULL_WORKERS: undefined }
      return { at, ...startMonohull(t, { folder: own, env }) }
    })
    await Promise.all(instances.map(instance => instance.serving()))
    const [one, two, three] = instances as unknown as [Monohull, Monohull, Monohull]
    const output = () => instances.map(instance => instance.output()).join('\n')
    await until('the made up run', () => /job finished job=report/.test(output()), { details: output })
    const runsOf = (instance: Monohull, name: string) => askFor<JobRun[]>(instance, 'GET', `/jobs/history?job=${name}`)
    await until('its end for all', async () => (await runsOf(three, 'report'))[0]?.result === 'success')
    assert.equal(readFileSync(done, 'utf8'), 'made up\n')
    assert.equal((await runsOf(three, 'report')).length, 1)
    assert.equal([...output().matchAll(/job missed job=report runs=[23] .* made_up=true/g)].length, 1, output())

    // a run elsewhere counts as a run
    const jobOf = async (instance: Monohull, name: string) =>
      (await askFor<JobStatus[]>(instance, 'GET', '/jobs')).find(job => job.name === name)
    assert.equal((await askFor<Outcome>(one, 'POST', '/jobs/slow/run')).ok, true)
    await until('the run elsewhere', async () => (await jobOf(two, 'slow'))?.runningOn !== undefined)
    const second = await askFor<Outcome>(two, 'POST', '/jobs/slow/run')
    assert.match(JSON.stringify(second), /slow not started.*it runs since .* on /)
    writeFileSync(`${done}.go`, '')
    await until('its end', async () => (await jobOf(two, 'slow'))?.state === 'waiting')
    assert.equal((await askFor<Outcome>(two, 'POST', '/jobs/slow/pause')).ok, true)
    await until('the pause', async () => (await jobOf(three, 'slow'))?.state === 'paused')
    assert.equal((await jobOf(three, 'slow'))?.once, 'cluster')

    await redis.kill()
    await until('the outage', () =>
      instances.every(({ output: lines }) => /cannot reach the shared state/.test(lines())),
    )
    const refused = await askFor<Outcome>(two, 'POST', '/jobs/slow/run')
    assert.match(JSON.stringify(refused), /slow not started.*the shared state is unavailable/)
    assert.equal((await one.request()).status, 200)
  })
})

async function askFor<T>(instance: Monohull, method: 'GET' | 'POST', path: string): Promise<T> {
  return (await askAdmin(join(instance.folder, 'run/admin.sock'), { method, path })).body as T
}
