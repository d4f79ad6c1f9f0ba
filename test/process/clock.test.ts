// before a release: a minute of a core
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { makeCertificate } from '../make-certificate.ts'
import { fixture, type Monohull, type StartOptions, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

const hourMs = 3_600_000
const hello = ['run', 'node', fixture('hello.cjs')]

/** A monohull whose wall clock can be set while it runs. */
function startWithClock(t: TestContext, options: StartOptions) {
  const folder = temporaryFolder(t, { ...options.files, offset: '0' })
  const offset = join(folder, 'offset')
  const NODE_OPTIONS = `--require ${fixture('../set-clock.cjs')}`
  const monohull = startMonohull(t, { ...options, folder, env: { ...options.env, NODE_OPTIONS, CLOCK_OFFSET: offset } })
  return { monohull, setClock: (byMs: number) => writeFileSync(offset, String(byMs)) }
}

async function statusOf(monohull: Monohull): Promise<Status> {
  const answer = await askAdmin(join(monohull.folder, 'run/admin.sock'), { method: 'GET', path: '/status' })
  return answer.body as Status
}

describe('a clock that is set while monohull runs', { concurrency: 3 }, () => {
  it('changes no uptime, whether it is set back or forward', async t => {
    const app = `{ command: [node, ${fixture('hello.cjs')}] }`
    const processes = `{ queue: { command: [node, ${fixture('consumer.cjs')}] } }`
    const { monohull, setClock } = startWithClock(t, {
      files: { 'monohull.yaml': `app: ${app}\nprocesses: ${processes}\n` },
    })
    await monohull.serving()
    for (const byMs of [-hourMs, hourMs]) {
      setClock(byMs)
      const status = await until('the process to run', async () => {
        const found = await statusOf(monohull)
        return found.processes[0]?.uptimeSeconds === undefined ? undefined : found
      })
      const uptimes = [status, ...status.workers, ...status.processes].map(({ uptimeSeconds }) => uptimeSeconds ?? -1)
      assert.equal(uptimes.length, 4)
      for (const uptime of uptimes) assert.ok(uptime >= 0 && uptime < 600, `up ${uptimes.join(', ')} s`)
    }
  })

  it('makes no worker older', async t => {
    const { monohull, setClock } = startWithClock(t, { args: hello, env: { MONOHULL_MAX_AGE: '30m' } })
    await monohull.serving()
    setClock(hourMs)
    const { uptimeSeconds } = await statusOf(monohull)
    await until('a few looks at the workers', async () => (await statusOf(monohull)).uptimeSeconds >= uptimeSeconds + 3)
    assert.doesNotMatch(monohull.output(), /recycling worker/)
  })

  it('leaves a stop its time when it is set forward', async t => {
    const env = { MONOHULL_STOP_DELAY: '2s', MONOHULL_STOP_TIMEOUT: '15s', MONOHULL_GRACEFUL_TIMEOUT: '10s' }
    const { monohull, setClock } = startWithClock(t, { args: hello, env })
    await monohull.serving()
    const answer = monohull.request({ path: '/slow?ms=4000' })
    monohull.signal('SIGTERM')
    await monohull.seen(/stopping/)
    setClock(hourMs)
    assert.equal((await answer).status, 200)
    assert.equal(await monohull.exited, 0)
  })

  it('gives a good certificate back within seconds, and keeps the local CA', async t => {
    const folder = temporaryFolder(t, { offset: String(400 * 24 * hourMs) })
    makeCertificate(join(folder, 'certs'), 'one.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    const env = { NODE_OPTIONS: `--require ${fixture('../set-clock.cjs')}`, CLOCK_OFFSET: join(folder, 'offset') }
    const monohull = startMonohull(t, { args: hello, folder, env })
    await monohull.serving()
    const shown = async () => (await presented(monohull.instance().httpsPort, 'one.test')).issuer
    assert.match(await shown(), /Monohull local CA/)
    const authority = readFileSync(join(folder, 'state/local-ca.crt'), 'utf8')
    for (const [byMs, issuer] of [
      [0, 'CN=one.test'],
      [400 * 24 * hourMs, 'CN=one.test'],
      [-400 * 24 * hourMs, 'CN=one.test'],
      [0, 'CN=one.test'],
    ] as const) {
      const from = monohull.output().length
      writeFileSync(join(folder, 'offset'), String(byMs))
      await monohull.seen(/the clock was set/, from)
      await until('the certificate', async () => (await shown()) === issuer)
    }
    assert.equal(readFileSync(join(folder, 'state/local-ca.crt'), 'utf8'), authority)
  })
})
