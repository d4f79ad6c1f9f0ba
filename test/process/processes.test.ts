import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const consumer = `command: [node, ${fixture('consumer.cjs')}]`
const base = `app: { command: [node, ${fixture('hello.cjs')}], workers: 1, env: { NAME: of the app } }\n`
const queue = `${base}processes: { queue: { ${consumer}, backoff: { initial: 100ms, max: 400ms } } }\n`
const oneWorker = { MONOHULL_WORKERS: '1' }

/** Runs the command line for the instance, with a log of its own. */
async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
  const told = startMonohull(t, { folder: temporaryFolder(t), args, env })
  return { code: await told.exited, output: told.output() }
}

interface Shown {
  name: string
  state: string
  pid: number
  restarts: number
}

async function processesOf(t: TestContext, monohull: Monohull): Promise<Shown[]> {
  return JSON.parse((await tell(t, monohull, 'status', '--json')).output).processes
}

/** Settles with the process when it runs, and is not `before`. */
function running(t: TestContext, monohull: Monohull, name: string, before = 0): Promise<Shown> {
  return until(`${name} to run`, async () => {
    const found = (await processesOf(t, monohull)).find(shown => shown.name === name)
    return found?.state === 'running' && found.pid !== before && found
  })
}

/** What the consumers wrote down. */
const notes = (monohull: Monohull) => readFileSync(join(monohull.folder, 'notes'), 'utf8').trim().split('\n')

describe('processes', { concurrency: 3 }, () => {
  it('run beside the workers, with the folder and variables of the app, and are shown', async t => {
    const yaml = queue.replace('queue: {', 'mail: { command: [sleep, "60"] }, queue: { count: 2,')
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    const { pid } = await running(t, monohull, 'queue.2')
    assert.deepEqual(
      (await processesOf(t, monohull)).map(({ name }) => name),
      ['mail.1', 'queue.1', 'queue.2'],
    )
    const said = new RegExp(
      `queue\\.2\\[${pid}\\] stdout\\| consuming as queue.2 with of the app in ${monohull.folder} as`,
    )
    await monohull.seen(said)
    assert.match(
      (await tell(t, monohull, 'status')).output,
      new RegExp(`^queue\\.2 +running +${pid} +\\d+ s +(-|\\d+ %) +\\d+ MB +- +0 +0$`, 'm'),
    )
  })

  it('come back after a crash, with backoff when they crash again and again', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': queue }, env: oneWorker })
    await monohull.serving()
    const before = await running(t, monohull, 'queue.1')
    writeFileSync(join(monohull.folder, 'crash-queue.1'), '')
    await monohull.seen(/process died process=queue\.1 .*exit="exit code 9".*decision="restarted after backoff"/)
    await until('four deaths', () => (monohull.output().match(/process died/g) ?? []).length >= 4)
    assert.equal((await monohull.request({ path: '/readyz' })).status, 200)
    rmSync(join(monohull.folder, 'crash-queue.1'))
    assert.ok((await running(t, monohull, 'queue.1', before.pid)).restarts >= 3)
  })

  it('are drained by a stop, which waits for them', async t => {
    // longer than a quick stop leaves them
    const yaml = queue.replace('queue: {', 'queue: { env: { DRAIN_MS: 1500 },')
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    const { pid } = await running(t, monohull, 'queue.1')
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.deepEqual(notes(monohull), [`start queue.1 ${pid}`, `end queue.1 ${pid}`])
    assert.match(monohull.output(), /process stopped process=queue\.1 .*exit code 0/)
  })

  it('get the signal that they know: in a stop, in a restart, and from the next instance after kill -9', async t => {
    const yaml = queue.replace('queue: {', 'queue: { stop_signal: usr2, env: { ENDS_ON: SIGUSR2 },')
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    const pids = [(await running(t, monohull, 'queue.1')).pid]
    assert.equal((await tell(t, monohull, 'restart', 'queue')).code, 0)
    pids.push((await running(t, monohull, 'queue.1', pids[0])).pid)
    monohull.signal('SIGKILL')
    assert.equal(await monohull.exited, 137)
    const next = startMonohull(t, { folder: monohull.folder, env: oneWorker })
    await next.serving()
    pids.push((await running(t, next, 'queue.1')).pid)
    next.signal('SIGTERM')
    assert.equal(await next.exited, 0)
    assert.deepEqual(
      notes(monohull),
      pids.flatMap(pid => [`start queue.1 ${pid}`, `end queue.1 ${pid}`]),
    )
  })

  it('are restarted by name and in a reload, and never run twice', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': queue.replace('queue: {', 'queue: { count: 2,') } })
    await monohull.serving()
    await running(t, monohull, 'queue.2')
    assert.equal((await tell(t, monohull, 'restart', 'queue.1')).output, 'monohull: queue.1 replaced\n')
    assert.equal((await tell(t, monohull, 'restart', 'queue')).output, 'monohull: queue replaced\n')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), queue.replace('queue: {', 'queue: { env: { NAME: new },'))
    assert.equal((await tell(t, monohull, 'reload')).output, 'monohull: reload finished\n')
    await monohull.seen(/consuming as queue\.1 with new/)
    assert.deepEqual(
      (await processesOf(t, monohull)).map(({ name }) => name),
      ['queue.1'],
    )
    const lives = notes(monohull).filter(line => line.includes('queue.1'))
    assert.deepEqual(
      lives.map(line => line.split(' ')[0]),
      ['start', 'end', 'start', 'end', 'start', 'end', 'start'],
    )
    const unknown = await tell(t, monohull, 'restart', 'queue.2')
    assert.deepEqual(
      [unknown.code, /there is no process queue\.2; the processes are queue\.1/.test(unknown.output)],
      [1, true],
    )
  })

  it('go back, and the workers with them, when a new one does not run', async t => {
    const monohull = startMonohull(t, {
      files: { 'monohull.yaml': queue, 'new/broken': 'broken by its folder\n' },
      env: oneWorker,
    })
    await monohull.serving()
    await running(t, monohull, 'queue.1')
    const changed = queue
      // a program that ends sooner than Node can, on any machine
      .replace(consumer, 'directory: new, command: [sh, -c, "cat broken; exit 1"]')
      .replace('env: { NAME: of the app }', 'env: { VERSION: new }')
    writeFileSync(join(monohull.folder, 'monohull.yaml'), changed)
    const { code, output } = await tell(t, monohull, 'reload')
    assert.equal(code, 1)
    assert.match(output, /reload abandoned[\s\S]*queue\.1: it ended with exit code 1[\s\S]*broken by its folder/)
    await running(t, monohull, 'queue.1')
    assert.match(notes(monohull).at(-1) ?? '', /^start/)
    await until('the old app', async () => JSON.parse((await monohull.request()).body).version !== 'new')
  })

  it('come and go with a reload', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': base }, env: oneWorker })
    await monohull.serving()
    writeFileSync(join(monohull.folder, 'monohull.yaml'), queue)
    assert.equal((await tell(t, monohull, 'reload')).code, 0)
    const { pid } = await running(t, monohull, 'queue.1')
    // the beginning of the former file alone would be taken for one that was cut off
    writeFileSync(join(monohull.folder, 'monohull.yaml'), `# without the queue\n${base}`)
    assert.equal((await tell(t, monohull, 'reload')).code, 0)
    assert.deepEqual(await processesOf(t, monohull), [])
    assert.deepEqual(notes(monohull), [`start queue.1 ${pid}`, `end queue.1 ${pid}`])
  })

  it('end the container with their code when on_failure is exit', async t => {
    const yaml = queue.replace('queue: {', 'queue: { on_failure: exit,')
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    await running(t, monohull, 'queue.1')
    writeFileSync(join(monohull.folder, 'crash-queue.1'), '')
    assert.equal(await monohull.exited, 9)
    assert.match(monohull.output(), /process died .*decision="everything is stopped"/)
  })

  it('end the container only after exit_after.failures of them, counted over all of a name', async t => {
    const yaml = queue.replace(
      'queue: {',
      'queue: { count: 2, min_uptime: 1m, on_failure: exit, exit_after: { failures: 3 },',
    )
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    await running(t, monohull, 'queue.1')
    writeFileSync(join(monohull.folder, 'crash-queue.1'), '')
    await monohull.seen(/process died process=queue\.1 .*exit="exit code 9".*decision="restarted after backoff"/)
    writeFileSync(join(monohull.folder, 'crash-queue.2'), '')
    assert.equal(await monohull.exited, 9)
    // one that dies on its own while the third ends it all is told too
    const deaths = monohull.output().match(/process died .*/g) ?? []
    assert.deepEqual(
      deaths.slice(0, 3).map(death => /decision="([^"]*)"/.exec(death)?.[1]),
      ['restarted after backoff', 'restarted after backoff', 'everything is stopped'],
    )
  })

  it('that ignore SIGTERM are killed at graceful_timeout', async t => {
    const yaml = `${base}processes: { queue: { command: [sh, -c, "trap '' TERM; echo up; while :; do sleep 0.1; done"], graceful_timeout: 300ms } }\n`
    const monohull = startMonohull(t, { files: { 'monohull.yaml': yaml }, env: oneWorker })
    await monohull.serving()
    await monohull.seen(/stdout\| up/)
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.match(monohull.output(), /process stopped process=queue\.1 .*signal SIGKILL/)
  })
})
