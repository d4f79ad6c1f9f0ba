import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import { createLog } from '../../../supervisor/base/log.ts'
import { createSpawn } from '../../../supervisor/processes/adapters/spawn.ts'
import { socketProbe } from '../../../supervisor/programs/adapters/socket-probe.ts'
import type { HealthPlan } from '../../../supervisor/programs/check.ts'
import { createChecks } from '../../../supervisor/programs/checks.ts'
import { createInstanceWatch } from '../../../supervisor/programs/instance-watch.ts'
import { createHandClock } from '../hand-clock.ts'

/** Server that responds with a text, to which nothing is added; without one, it keeps silent. */
async function serve(t: TestContext, response?: string): Promise<number> {
  const server = net.createServer(connection => {
    connection.on('error', () => {})
    if (response !== undefined) connection.once('data', () => connection.end(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as net.AddressInfo).port
}

function createCommands() {
  const lines: string[] = []
  const output = {
    write: (data: Buffer | string) => void lines.push(String(data)),
    full: () => undefined,
    end: async () => true,
  }
  const spawn = createSpawn({
    stdout: output,
    stderr: output,
    format: 'text',
    now: () => 0,
    umask: 0o22,
    onChange() {},
  })
  const program = {
    name: 'db.1',
    directory: '/',
    env: { PATH: process.env.PATH ?? '', WORD: 'of the process' },
    uid: undefined,
    gid: undefined,
  }
  return { lines, checks: createChecks({ clock: systemClock, spawn, probe: socketProbe }, program) }
}

describe('programs/checks: sockets', { timeout: 10_000 }, () => {
  it('accept connections, or say why not', async t => {
    const { checks } = createCommands()
    const port = await serve(t)
    assert.equal(await checks.run({ kind: 'tcp', host: '127.0.0.1', port }, 5000), undefined)
    assert.equal(await checks.run({ kind: 'unix', path: '/nowhere.sock' }, 5000), 'ENOENT')
    assert.equal(await checks.run({ kind: 'http', url: `http://127.0.0.1:${port}/` }, 50), 'no response within 50 ms')
  })

  for (const [response, problem] of [
    ['HTTP/1.1 204 No Content\r\n\r\n', undefined],
    ['HTTP/1.0 302 Found\r\n\r\n', undefined],
    ['HTTP/1.1 503 Service Unavailable\r\n\r\n', 'status 503'],
    ['-ERR unknown command\r\n', 'the response is not HTTP'],
    ['', 'the connection was closed without a response'],
  ] as const) {
    it(`${JSON.stringify(response)} means ${problem ?? 'healthy'}`, async t => {
      const port = await serve(t, response)
      assert.equal(
        await createCommands().checks.run({ kind: 'http', url: `http://localhost:${port}/x?y` }, 5000),
        problem,
      )
    })
  }
})

describe('programs/checks: commands', { timeout: 10_000 }, () => {
  it('pass with exit code 0, in the environment of the process, and print nothing', async () => {
    const { checks, lines } = createCommands()
    const run = (...argv: string[]) => checks.run({ kind: 'exec', argv }, 5000)
    assert.equal(await run('sh', '-c', 'echo seen; test "$WORD" = "of the process"'), undefined)
    assert.equal(await run('sh', '-c', 'echo down >&2; exit 3'), 'exit code 3: down')
    // no shell reads the words
    assert.equal(await run('test', '$WORD', '=', '$WORD'), undefined)
    assert.equal(await run('false', '||', 'true'), 'exit code 1')
    assert.deepEqual(lines, [])
  })

  it('are ended with their time, and with the process', async () => {
    const { checks } = createCommands()
    assert.equal(await checks.run({ kind: 'exec', argv: ['sleep', '60'] }, 50), 'no result within 50ms')
    const running = checks.run({ kind: 'exec', argv: ['sleep', '60'] }, 60_000)
    await checks.end()
    assert.match((await running) ?? '', /signal SIG/)
  })
})

describe('programs/instance-watch', () => {
  const plan: HealthPlan = {
    check: { kind: 'tcp', host: '127.0.0.1', port: 1 },
    intervalMs: 1000,
    timeoutMs: 500,
    failures: 2,
    startPeriodMs: 3000,
  }

  function setUp() {
    const { clock, advance } = createHandClock()
    const results: (string | undefined)[] = []
    const lines: string[] = []
    const reasons: string[] = []
    let isReady = false
    const watch = createInstanceWatch({
      clock,
      log: createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) }),
      name: 'db.1',
      checks: { run: async () => results.shift(), end: async () => {} },
      onReady() {
        isReady = true
      },
      onUnhealthy: reason => void reasons.push(reason),
      onFailedCheck() {},
    })
    return { watch, advance, results, lines, reasons, isReady: () => isReady }
  }

  it('is ready with the first check that passes, or with a line', async () => {
    const first = setUp()
    first.results.push('ECONNREFUSED', 'ECONNREFUSED', undefined)
    first.watch.awaitReady({ check: plan.check, timeoutMs: 1000 })
    await first.advance(50)
    assert.deepEqual([first.isReady(), first.watch.lastProblem()], [false, 'ECONNREFUSED'])
    await first.advance(100)
    assert.equal(first.isReady(), true)
    const second = setUp()
    second.watch.awaitReady({ check: { kind: 'line', text: 'ready to accept' }, timeoutMs: 1000 })
    second.watch.printed(Buffer.from('starting\nnot ready'))
    assert.equal(second.isReady(), false)
    second.watch.printed(Buffer.from('a\nLOG: ready to accept connections'))
    assert.equal(second.isReady(), true)
  })

  it('counts failures in a row, and none within start_period', async () => {
    const { watch, advance, results, reasons, lines } = setUp()
    results.push('1', '2', '3', undefined, '5', '6', '7')
    watch.watchHealth(plan)
    await advance(2000)
    assert.deepEqual(watch.health(), { failures: 0, limit: 2, problem: '2' })
    await advance(1000)
    assert.equal(watch.health()?.failures, 1)
    await advance(1000)
    assert.deepEqual(watch.health(), { failures: 0, limit: 2, problem: undefined })
    await advance(5000)
    assert.deepEqual(reasons, ['2 health checks failed: 6'])
    assert.deepEqual([results, lines.filter(line => line.includes('passed again')).length], [['7'], 1])
  })

  it('follows a change of its plan, and ends', async () => {
    const { watch, advance, results } = setUp()
    results.push('1', '2', '3')
    watch.watchHealth({ ...plan, startPeriodMs: 0, failures: 9 })
    await advance(1000)
    watch.watchHealth({ ...plan, startPeriodMs: 0, failures: 5, intervalMs: 100 })
    await advance(100)
    assert.deepEqual(watch.health(), { failures: 2, limit: 5, problem: '2' })
    watch.watchHealth(undefined)
    await advance(10_000)
    assert.deepEqual([watch.health(), results], [undefined, ['3']])
  })
})
