// needs: redis-server
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { ask, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const env = { MONOHULL_WORKERS: '1' }
const app = (keys: string) => `app: { command: [node, ${fixture('hello.cjs')}], ${keys} }\n`
const database = (keys: string) =>
  `database: { command: [node, ${fixture('database.cjs')}], backoff: { initial: 100ms, max: 200ms }, ${keys} }`
const consumer = (keys: string) => `queue: { command: [node, ${fixture('consumer.cjs')}], ${keys} }`
const slow = 'env: { READY_FILE: go }, ready: { unix: database.sock }'

async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const told = startMonohull(t, {
    folder: temporaryFolder(t),
    args,
    env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') },
  })
  return { code: await told.exited, output: told.output() }
}

interface Shown {
  name: string
  state: string
  pid: number
  waitsFor?: string[]
  health?: { failures: number; limit: number }
}

interface ShownRun {
  https: string[]
  warnings: string[]
  workers: Shown[]
  processes: Shown[]
}

async function shown(t: TestContext, monohull: Monohull): Promise<ShownRun> {
  return JSON.parse((await tell(t, monohull, 'status', '--json')).output)
}

const portOf = ([first]: string[]) => Number(first?.replace(/.*:/, ''))
const allow = (monohull: Monohull, file = 'go') => writeFileSync(join(monohull.folder, file), '')
const notes = (monohull: Monohull) => readFileSync(join(monohull.folder, 'notes'), 'utf8').trim().split('\n')
/** Names of the programs that run. */
const children = (monohull: Monohull) =>
  monohull
    .instance()
    .children.map(({ name }) => name)
    .filter(name => name !== 'nginx')
    .toSorted()
const position = (monohull: Monohull, pattern: RegExp) => {
  const found = monohull.output().search(pattern)
  assert.notEqual(found, -1, `${pattern} in\n${monohull.output()}`)
  return found
}

describe('processes in order', { concurrency: 4 }, () => {
  it('start when Redis responds, work its queue, and stop before it', async t => {
    const folder = temporaryFolder(t)
    const socket = join(folder, 'redis.sock')
    const yaml = `${app('after: [queue]')}processes:
  queue: { command: [node, ${fixture('queue-worker.cjs')}], env: { REDIS_SOCKET: ${socket} }, after: [redis], ready: { line: working }, min_uptime: 0s }
  redis: { command: [redis-server, --port, "0", --unixsocket, ${socket}, --save, ""], ready: { exec: [redis-cli, -s, ${socket}, ping] }, health: { exec: "redis-cli -s ${socket} ping", interval: 200ms } }
`
    writeFileSync(join(folder, 'monohull.yaml'), yaml)
    const monohull = startMonohull(t, { folder, env })
    await monohull.serving()
    const order = [
      /process ready process=redis\.1/,
      /process started process=queue\.1/,
      /process ready process=queue\.1/,
    ]
    const at = [...order, /worker ready worker=app\.1/].map(pattern => position(monohull, pattern))
    assert.deepEqual(
      at.toSorted((one, other) => one - other),
      at,
    )
    execFileSync('redis-cli', ['-s', socket, 'rpush', 'jobs', 'report'])
    await monohull.seen(/report done/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.deepEqual(notes(monohull), ['said goodbye'])
    assert.ok(
      position(monohull, /process stopped process=queue\.1/) < position(monohull, /process stopped process=redis\.1/),
    )
    assert.doesNotMatch(monohull.output(), /process died|check failed/)
  })

  it('wait, and are shown waiting, while what they come after is not ready', async t => {
    const yaml = `${app('after: [queue]')}processes: { ${consumer('after: [database]')}, ${database(slow)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.seen(/app waits app=app for=queue/)
    await monohull.seen(/database\.1\[\d+\] stdout\| starting/)
    await until('the admin socket', async () => (await tell(t, monohull, 'status')).code === 0)
    const { https, workers, processes } = await shown(t, monohull)
    assert.deepEqual(
      [...workers, ...processes].map(({ name, state, waitsFor }) => [name, state, waitsFor]),
      [
        ['app.1', 'pending', ['queue']],
        ['queue.1', 'pending', ['database']],
        ['database.1', 'booting', undefined],
      ],
    )
    assert.match((await tell(t, monohull, 'status')).output, /^queue\.1 +pending \(waits for database\)/m)
    assert.deepEqual(children(monohull), ['database.1'])
    const early = ['GET', 'POST'].map(method => ask(portOf(https), { method, scheme: 'https' }))
    allow(monohull)
    await monohull.serving()
    for (const { status } of await Promise.all(early)) assert.equal(status, 200)
    assert.doesNotMatch(monohull.output(), /No such file/)
    assert.deepEqual(
      notes(monohull)
        .slice(0, 3)
        .map(line => line.replace(/ \d+$/, '')),
      ['start database.1', 'ready database.1', 'start queue.1'],
    )
    assert.equal((await tell(t, monohull, 'restart', 'database')).code, 0)
    assert.equal(notes(monohull).filter(line => line.startsWith('start queue')).length, 1)
  })

  it('end at once when they must stop while they wait', async t => {
    const yaml = `stop_timeout: 10m\n${app('after: [database]')}processes: { ${database(slow)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.seen(/stdout\| starting/)
    await until('the admin socket', async () => (await tell(t, monohull, 'status')).code === 0)
    const { https } = await shown(t, monohull)
    const waiting = ask(portOf(https), { scheme: 'https' })
    const isInSocket = () =>
      readFileSync('/proc/net/unix', 'utf8').split(join(monohull.folder, 'run/app-1.1.sock')).length > 2
    await until('the request in the socket', isInSocket)
    monohull.signal('SIGTERM')
    assert.equal((await waiting).status, 502)
    assert.equal(await monohull.exited, 0)
    assert.deepEqual(notes(monohull), ['start database.1', 'end database.1'])
    assert.doesNotMatch(monohull.output(), /worker ready|did not finish in time/)
  })

  it('that are not ready in time are restarted, and what waits for them starts when one is', async t => {
    const keys = 'env: { READY_FILE: go }, ready: { unix: database.sock, timeout: 2s }'
    const yaml = `${app('after: [database]')}processes: { ${consumer('after: [database]')}, ${database(keys)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.seen(
      /process died process=database\.1 .*reason="not ready within 2s: the socket .*database\.sock: ENOENT".*decision="restarted after backoff"/,
    )
    // the start does not wait for it any longer
    await monohull.serving()
    const ready = await monohull.request({ path: '/readyz' })
    assert.deepEqual([ready.status, JSON.parse(ready.body).reason], [503, 'app waits for database'])
    assert.equal((await monohull.request()).status, 503)
    const early = await tell(t, monohull, 'restart', 'queue')
    assert.deepEqual([early.code, /queue starts when database is ready/.test(early.output)], [1, true])
    // a reload while it waits changes what will start
    writeFileSync(
      join(monohull.folder, 'monohull.yaml'),
      yaml.replace('after: [database]', 'env: { VERSION: new }, after: [database]'),
    )
    assert.equal((await tell(t, monohull, 'reload')).output, 'monohull: reload finished\n')
    allow(monohull)
    await until('the app', async () => (await monohull.request()).status === 200)
    assert.equal(JSON.parse((await monohull.request()).body).version, 'new')
    await monohull.seen(/consuming as queue\.1/)
    assert.equal(notes(monohull).filter(line => line.startsWith('start queue')).length, 1)
  })

  it('that fail and are not restarted are shown as failed, with a warning that names what waits', async t => {
    const once = '[sh, -c, "until [ -e go ]; do sleep 0.05; done; exit 3"]'
    const yaml = `${app('after: [queue]')}processes: { ${consumer('after: [seed]')}, seed: { command: ${once}, restart: never, min_uptime: 0s, ready: { unix: nowhere } } }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.seen(/process started process=seed\.1/)
    await monohull.seen(/app waits app=app/)
    allow(monohull)
    await monohull.seen(
      /warn others wait for a process that is not restarted process=seed\.1 waiting="?queue,app"? fix="monohull restart seed, or set processes\.seed\.restart to on_failure"/,
    )
    assert.equal(monohull.output().match(/others wait/g)?.length, 1)
    await monohull.serving()
    const { processes, warnings } = await shown(t, monohull)
    assert.deepEqual(
      processes.map(({ name, state }) => [name, state]),
      [
        ['queue.1', 'pending'],
        ['seed.1', 'failed'],
      ],
    )
    const text =
      'queue, app wait for seed.1, which failed and is not restarted: monohull restart seed, or set processes.seed.restart to on_failure'
    assert.deepEqual(warnings, [text])
    assert.match((await tell(t, monohull, 'status')).output, /^seed\.1 +failed +-[\s\S]*^warning: queue, app wait/m)
    const metrics = (await tell(t, monohull, 'status', '--metrics')).output
    assert.match(metrics, /monohull_processes\{process="seed",state="failed"\} 1/)
    // top names what each waits for
    const { rows } = JSON.parse((await tell(t, monohull, 'top', '--json')).output)
    assert.deepEqual(
      rows.map(({ name, state }: Shown) => [name, state]),
      [
        ['app.1', 'waits for queue'],
        ['queue.1', 'waits for seed'],
        ['seed.1', 'failed'],
      ],
    )
  })

  it('end the container when on_failure is exit and they do not become ready', async t => {
    const keys = 'env: { READY_FILE: go }, ready: { line: ready to accept, timeout: 200ms }, on_failure: exit'
    const yaml = `${app('after: [database]')}processes: { ${database(keys)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    assert.equal(await monohull.exited, 1)
    assert.match(monohull.output(), /reason="not ready within 200ms: a line with .*decision="everything is stopped"/)
  })

  it('end the container when an app that started late fails at its first start', async t => {
    const keys = 'env: { READY_FILE: go }, ready: { unix: database.sock, timeout: 2s }'
    const yaml = `app: { command: [node, -e, process.exit(7)], after: [database] }\nprocesses: { ${database(keys)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.serving()
    allow(monohull)
    assert.equal(await monohull.exited, 7)
    assert.match(monohull.output(), /every worker failed at its first start; app\.1/)
  })

  it('are restarted when they do not respond; those that come after them go on', async t => {
    const health = 'health: { http: "http://127.0.0.1:PORT/ping", interval: 100ms, timeout: 200ms, failures: 2 }'
    const keys = 'env: { PORT_FILE: port, FROZEN_FILE: frozen }, ready: { line: ready to accept }'
    const yaml = `${app('')}processes: { ${consumer('after: [database]')}, ${database(keys)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env })
    await monohull.serving()
    await monohull.seen(/consuming as queue\.1/)
    const before = (await shown(t, monohull)).processes
    const port = readFileSync(join(monohull.folder, 'port'), 'utf8')
    // a reload that changes only this restarts nothing
    const checked = yaml
      .replace('ready: {', `${health.replace('PORT', port)}, ready: {`)
      .replace('after: [database]', 'after: []')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), checked)
    assert.equal((await tell(t, monohull, 'reload')).output, 'monohull: reload finished\n')
    const after = (await shown(t, monohull)).processes
    assert.deepEqual(
      after.map(({ pid }) => pid),
      before.map(({ pid }) => pid),
    )
    assert.deepEqual(after[1]?.health?.limit, 2)
    allow(monohull, 'frozen')
    await monohull.seen(
      /process died process=database\.1 .*reason="2 health checks failed: no response within 200 ms".*decision="restarted/,
    )
    rmSync(join(monohull.folder, 'frozen'))
    assert.match(
      monohull.output(),
      /health check failed process=database\.1 reason="no response within 200 ms" restart_after=2/,
    )
    const metrics = (await tell(t, monohull, 'status', '--metrics')).output
    assert.match(
      metrics,
      /monohull_process_health_check_failures_total\{process="database",worker="database\.1"\} [2-9]/,
    )
    assert.deepEqual(notes(monohull).filter(line => line.startsWith('start queue')).length, 1)
  })

  it('that a reload adds are ready before the new workers of an app that comes after them', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': app('') }, env })
    await monohull.serving()
    const yaml = `${app('env: { VERSION: new }, after: [database]')}processes: { ${database(slow)} }\n`
    writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml)
    const reload = tell(t, monohull, 'reload')
    await monohull.seen(/stdout\| starting/)
    const before = children(monohull)
    allow(monohull)
    assert.equal((await reload).output, 'monohull: reload finished\n')
    assert.deepEqual(before, ['app.1', 'database.1'])
    assert.equal(JSON.parse((await monohull.request()).body).version, 'new')
    // one that never becomes ready changes nothing
    const broken = yaml.replace(
      'database: {',
      'other: { command: [sleep, "60"], ready: { unix: nowhere, timeout: 200ms } }, database: {',
    )
    writeFileSync(join(monohull.folder, 'monohull.yaml'), broken.replace('[database]', '[database, other]'))
    const refused = await tell(t, monohull, 'reload')
    assert.equal(refused.code, 1)
    assert.match(
      refused.output,
      /reload abandoned[\s\S]*other\.1: not ready within 200ms: the socket .*nowhere: ENOENT/,
    )
    assert.equal((await monohull.request()).status, 200)
  })

  it('start before an init command that comes after them, and the others after it', async t => {
    const init = `init: [{ command: [sh, -c, "test -S database.sock && echo migrated >> notes"], after: [database] }]\n`
    const yaml = `${app('')}${init}processes: { ${consumer('')}, ${database(slow)} }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml, go: '' }, env })
    await monohull.serving()
    await monohull.seen(/consuming as queue\.1/)
    assert.deepEqual(
      notes(monohull).map(line => line.replace(/ \d+$/, '')),
      ['start database.1', 'ready database.1', 'migrated', 'start queue.1'],
    )
  })

  it('let monohull dev watch while they are not ready', async t => {
    const keys = 'env: { READY_FILE: go }, ready: { unix: database.sock, timeout: 2s }'
    const yaml = `${app('after: [database]')}processes: { ${database(keys)} }\n`
    const monohull = startMonohull(t, { args: ['dev'], files: { 'monohull.yaml': yaml }, env })
    await monohull.seen(/waiting for a change/)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), yaml.replace('READY_FILE: go', 'READY_FILE: monohull.yaml'))
    await until('the app', async () => (await monohull.request()).status === 200)
  })
})
