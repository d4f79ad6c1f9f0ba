// needs: php-fpm
// before a release: half a minute of a core; test/process/php.test.ts shows rolls and kills
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { childrenOf, groupMembers } from '../../supervisor/processes/adapters/procfs.ts'
import { workerProbe } from '../../supervisor/workers/adapters/worker-probe.ts'
import { socketPath } from '../../supervisor/workers/socket-paths.ts'
import { type Monohull, until } from './monohull.ts'
import { answerOf, load, startPhp } from './php-app.ts'

/** Settles with the process that runs the request with this text in its log. */
async function processOf(monohull: Monohull, text: string): Promise<number> {
  const [, pid] = await monohull.seen(new RegExp(`PHP message: ${text} (\\d+)`))
  return Number(pid)
}

/** Response to FPM's ping, as its `ping.path` gives it; undefined: none in time. */
function ping(path: string, timeoutMs: number): Promise<string | undefined> {
  const record = (type: number, content: Buffer) =>
    Buffer.concat([Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content])
  const parameters = Object.entries({ SCRIPT_NAME: '/ping', SCRIPT_FILENAME: '/ping', REQUEST_METHOD: 'GET' })
  const words = parameters.map(([name, value]) => `${String.fromCharCode(name.length, value.length)}${name}${value}`)
  return new Promise(resolve => {
    const socket = net.connect(path)
    let text = ''
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(/\r\n\r\n(\w+)/.exec(text)?.[1])
    }
    const timer = setTimeout(finish, timeoutMs)
    socket.on('data', part => {
      text += part.toString('latin1')
    })
    socket.once('close', finish).once('error', finish)
    socket.write(
      Buffer.concat([
        record(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
        ...[Buffer.from(words.join('')), Buffer.alloc(0)].map(content => record(4, content)),
        record(5, Buffer.alloc(0)),
      ]),
    )
  })
}

describe('PHP-FPM under kill -9, with GET and POST', { concurrency: 2 }, () => {
  it('of a process: only its own POST fails; of the master: nothing, its processes finish', async t => {
    const monohull = startPhp(t, 'app: {php: {max_children: 6}}\n')
    await monohull.serving()
    const both = load(monohull, ['GET', 'POST'])
    for (const [method, status] of [
      ['POST', 502],
      ['GET', 200],
    ] as const) {
      // nginx sends a GET again
      const inside = monohull.request({ path: `/?ms=1500&log=child+${method}`, method })
      process.kill(await processOf(monohull, `child ${method}`), 'SIGKILL')
      assert.equal((await inside).status, status, method)
    }
    for (let kill = 0; kill < 3; kill++) {
      const before = monohull.worker(1)
      const slow = ['GET', 'POST'].map(method => {
        const body = method === 'POST' ? 'kept' : ''
        return answerOf(monohull, { path: `/?ms=900&log=master+${kill}+${method}`, method, body })
      })
      await Promise.all(['GET', 'POST'].map(method => processOf(monohull, `master ${kill} ${method}`)))
      process.kill(before, 'SIGKILL')
      const next = await monohull.workerAfter(1, before)
      await monohull.seen(new RegExp(`worker ready worker=app\\.1 pid=${next}`))
      assert.deepEqual(
        (await Promise.all(slow)).map(({ body }) => body),
        ['', 'kept'],
      )
      assert.deepEqual(groupMembers(before), [])
    }
    assert.deepEqual(await both.stop(), [])
    assert.ok(both.count() > 30, String(both.count()))
  })

  it('of the master: what its processes do not finish within graceful_timeout ends', async t => {
    const monohull = startPhp(t, 'app: {graceful_timeout: 1s, php: {max_children: 2}}\n')
    await monohull.serving()
    const before = monohull.worker(1)
    const endless = monohull.request({ path: '/?ms=60000&log=endless', method: 'POST' })
    await processOf(monohull, 'endless')
    process.kill(before, 'SIGKILL')
    const waiting = answerOf(monohull, { method: 'POST', body: 'waits' })
    assert.equal((await waiting).body, 'waits')
    assert.equal((await endless).status, 502)
    assert.deepEqual(groupMembers(before), [])
  })
})

describe('a pool that hangs', { concurrency: 2 }, () => {
  it('is restarted once every process hangs, and the waiting requests are served', async t => {
    const monohull = startPhp(
      t,
      'app: {timeout: 2s, graceful_timeout: 1s, health: {interval: 200ms}, php: {max_children: 3}}\n',
    )
    await monohull.serving()
    const before = monohull.worker(1)
    const hung = [1, 2, 3].map(number => monohull.request({ path: `/?ms=60000&log=hung+${number}`, method: 'POST' }))
    await processOf(monohull, 'hung 3')
    const waiting = answerOf(monohull, { method: 'POST', body: 'waits' })
    await monohull.seen(new RegExp(`worker died worker=app\\.1 pid=${before} .*reason="hung: no response to a fastcgi`))
    assert.equal((await waiting).body, 'waits')
    assert.notEqual(monohull.worker(1), before)
    assert.deepEqual(groupMembers(before), [])
    assert.deepEqual(
      (await Promise.all(hung)).map(({ status }) => status),
      [502, 502, 502],
    )
  })

  it("is found by monohull's probe in every state in which FPM's ping finds it", async t => {
    const config = `[global]\nerror_log = /dev/null\nprocess_control_timeout = 1s\n[www]\nlisten = /proc/monohull.sock\npm = static\npm.max_children = 2\nping.path = /ping\nping.response = alive\nclear_env = no\ncatch_workers_output = yes\n`
    const monohull = startPhp(t, 'app: {timeout: 0s, graceful_timeout: 1s, php: {config: fpm.conf}}\n')
    writeFileSync(join(monohull.folder, 'fpm.conf'), config)
    await monohull.serving()
    const path = socketPath(join(monohull.folder, 'run'), 'app', 1)
    /** Whether the two find a process that responds. */
    const both = () =>
      Promise.all([
        ping(path, 500).then(text => text === 'alive'),
        workerProbe.respondsToGet({ kind: 'unix', path }, { path: undefined, protocol: 'fastcgi' }, 500),
      ])
    const become = (what: string, expected: boolean) =>
      until(what, async () => {
        const [pinged, probed] = await both()
        return pinged === expected && probed === expected
      })
    const master = monohull.worker(1)
    const processes = childrenOf(master)
    assert.equal(processes.length, 2)
    assert.deepEqual(await both(), [true, true], 'idle')

    // one request of two sleeps
    const sleeping = [monohull.request({ path: '/?ms=3000&log=asleep+1' })]
    await processOf(monohull, 'asleep 1')
    assert.deepEqual(await both(), [true, true], 'one of two sleeps')
    sleeping.push(monohull.request({ path: '/?ms=3000&log=asleep+2' }))
    await processOf(monohull, 'asleep 2')
    assert.deepEqual(await both(), [false, false], 'both sleep')
    await Promise.all(sleeping)
    await become('both after the sleep', true)

    // stopped processes, and a stopped master, whose processes serve
    for (const pid of processes) process.kill(pid, 'SIGSTOP')
    assert.deepEqual(await both(), [false, false], 'stopped')
    for (const pid of processes) process.kill(pid, 'SIGCONT')
    await become('both after SIGCONT', true)
    process.kill(master, 'SIGSTOP')
    assert.deepEqual(await both(), [true, true], 'the master is stopped')
    process.kill(master, 'SIGCONT')
  })
})

describe('a PHP app with workers: {min: 0}', () => {
  it('falls asleep, gives its memory back, and wakes for a POST whose body arrives', async t => {
    const monohull = startPhp(t, 'app: {workers: {min: 0, max: 1, idle: 5s}, php: {max_children: 3}}\n', {
      MONOHULL_WORKERS: undefined,
    })
    await monohull.serving()
    const first = await answerOf(monohull)
    const master = monohull.worker(1)
    assert.ok(
      groupMembers(master).some(({ pid }) => pid === first.pid),
      'its processes belong to its group',
    )
    await monohull.seen(new RegExp(`worker stopped worker=app\\.1 pid=${master} exit="exit code 0"`))
    assert.deepEqual(groupMembers(master), [])
    const body = 'x'.repeat(300_000)
    const woken = await answerOf(monohull, { path: '/form', method: 'POST', body })
    assert.equal(woken.body, body)
    assert.notEqual(monohull.worker(1), master)
  })
})
