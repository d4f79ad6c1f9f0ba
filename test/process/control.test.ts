import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { readInstance } from '../../supervisor/run/adapters/instance.ts'
import { allReady, fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

/** Runs the command line for the instance of a folder, with a log of its own. */
async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const folder = temporaryFolder(t)
  const told = startMonohull(t, { folder, args, env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } })
  return { code: await told.exited, output: told.output() }
}

describe('monohull status, reload, restart, scale and stop', { concurrency: 3 }, () => {
  it('show the workers, as a table and as JSON', async t => {
    const monohull = startMonohull(t, { args: hello })
    const { httpPort } = await monohull.serving()
    const table = await tell(t, monohull, 'status')
    assert.equal(table.code, 0)
    assert.match(
      table.output,
      new RegExp(`^monohull ready, pid ${monohull.process.pid}, up \\d+ s\nhttp +127.0.0.1:${httpPort}\n`),
    )
    assert.match(
      table.output,
      new RegExp(`^app\\.1 +serving +${monohull.worker(1)} +\\d+ s +(-|\\d+ %) +\\d+ MB +\\d +0 +0$`, 'm'),
    )
    const json = await tell(t, monohull, 'status', '--json')
    const status = JSON.parse(json.output)
    assert.deepEqual([status.state, status.workers.length, status.workers[1].pid], ['ready', 2, monohull.worker(2)])
  })

  it('open the inspector of a worker, and close it', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const opened = await tell(t, monohull, 'inspect', 'app.2')
    const [, host] = /ws:\/\/(127\.0\.0\.1:\d+)\//.exec(opened.output) ?? []
    const response = await fetch(`http://${host}/json`, { headers: { connection: 'close' } })
    assert.match(await response.text(), /hello\.cjs/)
    assert.equal((await tell(t, monohull, 'inspect', '--close', 'app.2')).code, 0)
    await assert.rejects(fetch(`http://${host}/json`))
    assert.equal((await monohull.request()).status, 200)
  })

  it('check the running instance with the command and the variables that it has, from anywhere', async t => {
    const monohull = startMonohull(t, { args: ['run', '--stop-timeout', '2s', ...hello.slice(1)] })
    await monohull.serving()
    const [sound, json] = await Promise.all([tell(t, monohull, 'doctor'), tell(t, monohull, 'doctor', '--json')])
    assert.match(sound.output, /already running[\s\S]*monohull: .*, \d+ warnings?; checked configuration, stop, /)
    assert.doesNotMatch(sound.output, /no instance is running|welcome|cert_dir .*is not/)
    assert.ok(sound.output.includes(`no certificate in ${monohull.folder}/certs`), sound.output)
    type Finding = { level: string; about: string }
    const problems = JSON.parse(json.output).findings.filter(({ level }: Finding) => level === 'problem')
    // in a container, an instance of a test is out of reach
    assert.deepEqual(
      problems.filter(({ about }: Finding) => about !== 'bind_addresses'),
      [],
      json.output,
    )
    const other = await tell(t, monohull, 'doctor', '--stop-timeout', 'soon', 'node', 'missing.js')
    assert.deepEqual(
      [other.code, /problem: stop_timeout: expected a duration/.test(other.output)],
      [78, true],
      other.output,
    )
  })

  it('record a profile that names the function, even of a worker that is blocked, and a snapshot of its memory', async t => {
    const files = {
      'app.cjs': `globalThis.marker = 'a marker ' + 'in the heap'
function spinning(until) {
  for (let next = 0; Date.now() < until; )
    if (Date.now() > next) {
      if (require('node:fs').existsSync('recorded')) return
      next = Date.now() + 50
    }
}
require('node:http').createServer((q, r) => {
  const [, ms] = /^\\/spin(\\d+)/.exec(q.url) ?? []
  if (ms) spinning(Date.now() + Number(ms))
  r.end('well')
}).listen(3000)`,
    }
    const env = { MONOHULL_WORKERS: '1' }
    const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files, env })
    await monohull.serving()
    const path = join(monohull.folder, 'app.cpuprofile')
    const spinning = monohull.request({ path: '/spin30000' })
    await until('the worker to spin', () => readFileSync(`/proc/${monohull.worker(1)}/stat`, 'utf8').includes(') R '))
    const recorded = await tell(t, monohull, 'profile', 'app.1', '--cpu', '700ms', '-o', path, '--json')
    writeFileSync(join(monohull.folder, 'recorded'), '')
    assert.equal(recorded.code, 0, recorded.output)
    assert.equal((await spinning).status, 200)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const { nodes, samples, timeDeltas, startTime, endTime } = JSON.parse(readFileSync(path, 'utf8'))
    assert.ok(samples.length > 50 && samples.length === timeDeltas.length && endTime > startTime)
    type Node = { id: number; callFrame: { url: string } }
    const own = nodes.filter(({ callFrame }: Node) => callFrame.url.endsWith('/app.cjs')).map(({ id }: Node) => id)
    const share = samples.filter((id: number) => own.includes(id)).length / samples.length
    assert.ok(share > 0.8, `${share} of the samples`)

    const heap = await tell(t, monohull, 'profile', 'app.1', '--heap', '--force', '-o', `${path}.heapsnapshot`)
    assert.match(heap.output, /wrote \S+heapsnapshot \(\d+ KB\); load it in Chrome's DevTools, tab Memory/)
    const { snapshot, strings } = JSON.parse(readFileSync(`${path}.heapsnapshot`, 'utf8'))
    assert.ok(snapshot.meta.node_fields.length > 0 && strings.includes('a marker in the heap'))
    await monohull.seen(/profile ended[\s\S]*profile ended/)
    assert.doesNotMatch(monohull.output(), /inspector stays open/)
    assert.equal((await monohull.request()).body, 'well')

    for (const [words, problem] of [
      [['app.7', '--heap'], /cannot record a profile of app\.7: there is no worker|no worker of this name/],
      [['app.1', '--heap', '-o', path], /cannot write \S+: EEXIST[\s\S]*--output/],
      [['app.1', '--heap', '--cpu', '1s'], /needs either --cpu or --heap/],
      [['app.1'], /needs either --cpu or --heap/],
      [['app.1', '--cpu', '0s'], /not a duration from 1ms to 10m/],
    ] as const) {
      const { code, output } = await tell(t, monohull, 'profile', ...words)
      assert.deepEqual([code > 0, problem.test(output)], [true, true], output)
    }
  })

  it('tell how a certificate of the local CA is trusted, and refuse a name that says nothing', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const checked = await tell(t, monohull, 'cert', 'check', 'localhost')
    assert.equal(checked.code, 1)
    assert.match(checked.output, /does not trust it: \w+; monohull cert trust-info shows how to trust it/)
    for (const action of ['list', 'trust-info']) {
      const { code, output } = await tell(t, monohull, 'cert', action, 'localhost')
      assert.equal(code, 64)
      assert.match(output, new RegExp(`monohull cert ${action} accepts no name, got localhost`))
    }
  })

  it('say so when the supervisor is frozen', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    monohull.signal('SIGSTOP')
    const { code, output } = await tell(t, monohull, 'status')
    monohull.signal('SIGCONT')
    assert.equal(code, 69)
    const { pid } = monohull.process
    assert.match(
      output,
      new RegExp(
        `the monohull in \\S+ \\(pid ${pid}\\) does not respond: its process is stopped\\n +fix: kill -CONT ${pid} `,
      ),
    )
  })

  it('say so when the record and the socket were removed, instead of that nothing runs', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    for (const name of ['admin.sock', 'instance.json']) rmSync(join(monohull.folder, 'run', name))
    const { code, output } = await tell(t, monohull, 'status')
    assert.equal(code, 69)
    // the record is soon written again
    assert.match(
      output,
      /the monohull in \S+( \(pid \d+\))? is unreachable: its files there were removed\n +fix: restart it/,
    )
  })

  it('answer when the thing is done', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const before = [monohull.worker(1), monohull.worker(2)]
    assert.deepEqual(await tell(t, monohull, 'restart', 'app.2'), { code: 0, output: 'monohull: app.2 replaced\n' })
    assert.equal(monohull.worker(1), before[0])
    assert.notEqual(monohull.worker(2), before[1])
    assert.deepEqual(await tell(t, monohull, 'restart'), { code: 0, output: 'monohull: workers replaced\n' })
    assert.notEqual(monohull.worker(1), before[0])
    assert.deepEqual(await tell(t, monohull, 'reload'), { code: 0, output: 'monohull: reload finished\n' })
    assert.equal((await tell(t, monohull, 'reload', '--config', 'other.yaml')).code, 64)
    assert.deepEqual(await tell(t, monohull, 'stop'), { code: 0, output: 'monohull: stopping\nmonohull: stopped\n' })
    assert.equal(await monohull.exited, 0)
  })

  it('scale up and down without a failed request', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const statuses = new Set<number>()
    let isDone = false
    const load = (async () => {
      while (!isDone) statuses.add((await monohull.request({ method: 'POST', body: 'x' })).status)
    })()
    for (const count of [4, 1]) {
      const { code, output } = await tell(t, monohull, 'scale', String(count))
      assert.deepEqual([code, output], [0, `monohull: scaled to ${count} worker${count === 1 ? '' : 's'}\n`])
      assert.equal(JSON.parse((await tell(t, monohull, 'status', '--json')).output).workers.length, count)
    }
    isDone = true
    await load
    assert.deepEqual([...statuses], [200], monohull.output())
  })

  it('fail with the reason and the last lines', async t => {
    const files = { 'app.cjs': `require(${JSON.stringify(fixture('hello.cjs'))})` }
    const monohull = startMonohull(t, { args: ['run', 'node', 'app.cjs'], files })
    await monohull.serving()
    const before = monohull.worker(1)
    writeFileSync(join(monohull.folder, 'app.cjs'), 'this is no JavaScript')
    for (const command of [['restart'], ['scale', '3'], ['reload']]) {
      const { code, output } = await tell(t, monohull, ...command)
      assert.equal(code, 1)
      assert.match(output, /abandoned[\s\S]*SyntaxError/)
    }
    assert.equal(monohull.worker(1), before)
    assert.equal((await monohull.request()).status, 200)
    const unknown = await tell(t, monohull, 'restart', 'app.7')
    assert.deepEqual(
      [unknown.code, /there is no worker app\.7; the workers are app\.1, app\.2/.test(unknown.output)],
      [1, true],
    )
    for (const count of ['0', 'abc']) {
      const { code, output } = await tell(t, monohull, 'scale', count)
      assert.deepEqual([code, /from 1 to 1024/.test(output)], [64, true])
    }
  })

  it('say plainly when none runs, and name one that runs elsewhere', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    const folder = temporaryFolder(t)
    const told = startMonohull(t, { folder, args: ['status'] })
    assert.equal(await told.exited, 69)
    assert.match(
      told.output(),
      new RegExp(`no monohull is running in ${folder}/run\n +fix: .*${monohull.folder}/run.*--run-dir`),
    )
  })

  it('say that it is still starting', async t => {
    const files = { 'monohull.yaml': `init: [[sleep, "60"]]\napp: { command: [node, ${fixture('hello.cjs')}] }\n` }
    const monohull = startMonohull(t, { files })
    await until('the instance', () => readInstance(join(monohull.folder, 'run')))
    const { code, output } = await tell(t, monohull, 'status')
    assert.equal(code, 69)
    assert.match(output, new RegExp(`\\(pid ${monohull.process.pid}\\) accepts no commands yet: it is still starting`))
  })

  it('that wait for the start are told when it is stopped instead', async t => {
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('silent.cjs')] })
    await monohull.seen(/silent is up/)
    await until('the admin socket', () => existsSync(join(monohull.folder, 'run/admin.sock')))
    const waiting = tell(t, monohull, 'restart')
    await monohull.seen(/command received command=restart/)
    monohull.signal('SIGTERM')
    assert.deepEqual(await waiting, { code: 1, output: 'monohull: command rejected: monohull is stopping\n' })
    assert.equal(await monohull.exited, 0)
  })

  it('say that its run_dir was emptied, and so does its log, once', async t => {
    const monohull = startMonohull(t, { args: hello })
    await allReady(monohull, 2)
    const { pid } = monohull.process
    // all at once: while a directory is being emptied, some files are still there
    renameSync(join(monohull.folder, 'run'), join(monohull.folder, 'removed'))
    const [line] = await monohull.seen(/error files of run_dir were removed .*/)
    assert.match(line, /missing=\S*instance\.json,\S+ more=\d+ fix="restart monohull; /)
    const { code, output } = await tell(t, monohull, 'status')
    assert.equal(code, 69)
    assert.match(output, new RegExp(`\\(pid ${pid}\\) is unreachable: its files there were removed\n +fix: restart it`))
    const second = startMonohull(t, { folder: monohull.folder, args: hello })
    assert.equal(await second.exited, 78)
    assert.match(second.output(), new RegExp(`monohull is already running in \\S+ \\(pid ${pid}\\)`))
    monohull.signal('SIGTERM')
    assert.equal(await monohull.exited, 0)
    assert.equal(monohull.output().match(/were removed while monohull is running/g)?.length, 1)
  })

  it('tell of links that a cleaner took, and of nothing while all is well', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_WORKERS: '1' } })
    await monohull.serving()
    assert.equal((await tell(t, monohull, 'restart')).code, 0)
    assert.doesNotMatch(monohull.output(), /were removed/)
    rmSync(join(monohull.folder, 'run/app-1.sock'))
    const [line] = await monohull.seen(/error files of run_dir were removed .*/)
    assert.match(line, /missing=\S+\/run\/app-1\.sock,/)
  })

  it('SIGTTIN and SIGTTOU are one worker more and one fewer', async t => {
    const monohull = startMonohull(t, { args: hello })
    await monohull.serving()
    for (const [signal, message] of [
      ['SIGTTIN', /scaled to 3 workers/],
      ['SIGTTOU', /scaled to 2 workers/],
    ] as const) {
      const from = monohull.output().length
      monohull.signal(signal)
      await monohull.seen(message, from)
    }
    await until(
      'two workers',
      async () => JSON.parse((await tell(t, monohull, 'status', '--json')).output).workers.length === 2,
    )
  })
})
