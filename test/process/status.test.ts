import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import type { Status } from '../../supervisor/run/status.ts'
import { makeDatedCertificate } from '../make-certificate.ts'
import { launcher } from './built.ts'
import { defer, fixture, isolatedEnv, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

async function cli(monohull: Monohull, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, ...words], {
    env: isolatedEnv(monohull.folder),
    cwd: monohull.folder,
  })
  return stdout
}
const statusOf = async (monohull: Monohull): Promise<Status> => JSON.parse(await cli(monohull, 'status', '--json'))

const app = (command: string) => `https: off\napp: { command: ${command}, workers: 1, min_uptime: 0s, timeout: 1s }\n`

async function start(t: TestContext, config = app(`[node, ${fixture('hello.cjs')}]`)) {
  const monohull = startMonohull(t, { files: { 'monohull.yaml': config } })
  await monohull.serving()
  return monohull
}

describe('the status', () => {
  it('counts crashes apart from planned replacements, and shows the last death with its requests', async t => {
    const monohull = await start(t)
    await cli(monohull, 'restart')
    const before = (await statusOf(monohull)).workers[0]
    assert.deepEqual([before?.crashes, before?.replacements, before?.lastDeath], [0, 1, undefined])
    const crashed = monohull.worker(1)
    await monohull.request({ path: '/crash', method: 'POST' })
    const worker = await until('the death', async () => {
      const found = (await statusOf(monohull)).workers[0]
      return found?.lastDeath?.requests.length ? found : undefined
    })
    assert.deepEqual([worker.crashes, worker.replacements], [1, 1])
    assert.equal(worker.lastDeath?.exit, 'exit code 5')
    assert.match(worker.lastDeath?.line ?? '', /^listening on /)
    assert.match(worker.lastDeath?.requests[0] ?? '', /^POST \/crash [0-9a-f]{32}$/)
    assert.ok(Math.abs(Date.parse(worker.lastDeath?.at ?? '') - Date.now()) < 60_000)
    await monohull.workerAfter(1, crashed)
    const table = await cli(monohull, 'status')
    assert.match(table, /CRASHES {2}REPLACED\n(.*\n)*app\.1 +serving .* 1 +1\n/)
    assert.match(table, /^app\.1 died at .*: exit code 5: listening on \d+\n {4}in flight: POST \/crash /m)
  })

  it('shows the reason of a hang', async t => {
    const monohull = await start(t)
    await monohull.request({ path: '/block', method: 'POST' })
    const { lastDeath } = (await statusOf(monohull)).workers[0] ?? {}
    assert.match(lastDeath?.reason ?? '', /^hung: /)
  })

  it('warns of an abandoned reload until one succeeds', async t => {
    const monohull = await start(t)
    const file = join(monohull.folder, 'monohull.yaml')
    writeFileSync(file, `${app(`[node, ${fixture('exits.cjs')}]`)}`)
    await assert.rejects(cli(monohull, 'reload'))
    assert.match(await cli(monohull, 'status'), /^warning: the last reload, at .*, was abandoned: app\.1: /m)
    writeFileSync(file, app(`[node, ${fixture('hello.cjs')}, --again]`))
    await cli(monohull, 'reload')
    assert.deepEqual((await statusOf(monohull)).warnings, [])
  })

  it('warns of names that do not resolve, and of certificates that expire soon', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }
upstreams: { far: { servers: ["no-such-name.invalid:80"] } }
routes: [{ app: app }, { path: /far, upstream: far }]
`,
    })
    makeDatedCertificate(join(folder, 'certs'), 'soon.test', { from: -85, to: 5 })
    const monohull = startMonohull(t, { folder })
    await monohull.serving()
    const { warnings = [] } = await statusOf(monohull)
    assert.ok(
      warnings.some(text => /^the certificate for soon\.test expires in [45] days: /.test(text)),
      warnings.join(),
    )
    assert.ok(
      warnings.some(text => /^the server name no-such-name\.invalid has not resolved for \d+ s; it gets no/.test(text)),
    )
  })

  it('warns of an nginx worker that is frozen', async t => {
    const monohull = await start(t)
    const [worker = 0] = childrenOf(monohull.nginx())
    process.kill(worker, 'SIGSTOP')
    defer(t, () => process.kill(worker, 'SIGCONT'))
    await monohull.seen(/an nginx process is frozen: .*pid=\d+/)
    assert.match(await cli(monohull, 'status'), new RegExp(`^warning: the nginx worker ${worker} is stopped: `, 'm'))
    assert.match(await cli(monohull, 'status', '--metrics'), /^monohull_nginx_frozen_processes 1$/m)
    process.kill(worker, 'SIGCONT')
    await monohull.seen(/an nginx process is no longer frozen/)
  })
})
