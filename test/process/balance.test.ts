import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { io, type Socket } from 'socket.io-client'
import { type Answer, allReady, defer, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const hello = ['run', 'node', fixture('hello.cjs')]
const plain = { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '4' }

const workerOf = (answer: Answer): string => JSON.parse(answer.body).worker
const cookieOf = (answer: Answer): string | undefined => answer.headers['set-cookie']?.[0]
const withCookie = (value: string) => ({ headers: { cookie: `theme=dark; monohull_app=${value}` } })

/** An app whose worker in slot 2 ends at its boot while the file `stop2` is there, and so on. */
const breakable = (name: string) => ({
  args: ['run', 'sh', '-c', `if [ -e stop$MONOHULL_SLOT ]; then exit 4; fi; exec node ${fixture(name)}`],
  env: { MONOHULL_BACKOFF_INITIAL: '50ms', MONOHULL_BACKOFF_MAX: '200ms', MONOHULL_MIN_UPTIME: '1ms' },
})

/** Keeps a slot's worker from coming up, and settles when nginx leaves the slot out. */
async function breakSlot(monohull: Monohull, slot: number): Promise<void> {
  writeFileSync(join(monohull.folder, `stop${slot}`), '')
  process.kill(monohull.worker(slot), 'SIGKILL')
  await monohull.seen(new RegExp(`slot withdrawn from nginx worker=app\\.${slot}`))
}

describe('balance: sticky', () => {
  it('leads a visitor back to the worker that answered first, by a cookie that is set once', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_BALANCE: 'sticky', MONOHULL_WORKERS: '4' } })
    await allReady(monohull, 4)
    const seen = new Set<string>()
    await until('visitors without a cookie to be spread', async () => {
      const first = await monohull.request()
      const slot = workerOf(first).slice('app.'.length)
      assert.equal(cookieOf(first), `monohull_app=${slot}; Path=/; HttpOnly; SameSite=Lax; Secure`)
      seen.add(slot)
      for (let count = 0; count < 3; count++) {
        const next = await monohull.request({ ...withCookie(slot), path: '/a%20b?c=d%2F' })
        assert.equal(workerOf(next), `app.${slot}`)
        assert.equal(JSON.parse(next.body).url, '/a%20b?c=d%2F')
        assert.equal(cookieOf(next), undefined)
      }
      return seen.size > 1
    })
  })

  it('takes nothing from the cookie but the number of a slot', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_BALANCE: 'sticky', ...plain } })
    await allReady(monohull, 4)
    for (const value of [
      '',
      '0',
      '99',
      '01',
      '1 1',
      'app_app_slot_1',
      '127.0.0.1:22',
      'unix:/etc',
      '$host',
      '%31',
      '"1"',
    ]) {
      const answer = await monohull.request(withCookie(value))
      assert.equal(answer.status, 200, value)
      assert.equal(cookieOf(answer), `monohull_app=${workerOf(answer).slice(4)}; Path=/; HttpOnly; SameSite=Lax`, value)
    }
  })

  it('keeps the visitors of a worker that is started again; the GET it dropped goes to another, and the cookie with it', async t => {
    const monohull = startMonohull(t, { args: hello, env: { MONOHULL_BALANCE: 'sticky', ...plain } })
    await allReady(monohull, 4)
    const before = monohull.worker(2)
    const dropped = monohull.request({ ...withCookie('2'), path: '/slow?ms=1000' })
    await until(
      'the request to arrive',
      async () => JSON.parse((await monohull.request(withCookie('2'))).body).slow === 1,
    )
    process.kill(before, 'SIGKILL')
    // until then it may still accept a request, which then goes to another worker
    await monohull.seen(/worker died worker=app\.2/)
    const waited = await monohull.request(withCookie('2'))
    assert.equal(workerOf(waited), 'app.2')
    assert.notEqual(JSON.parse(waited.body).pid, before)
    assert.equal(cookieOf(waited), undefined)
    const answer = await dropped
    assert.equal(answer.status, 200)
    assert.notEqual(workerOf(answer), 'app.2')
    assert.match(cookieOf(answer) ?? '', new RegExp(`^monohull_app=${workerOf(answer).slice(4)};`))
  })

  it('gives the visitors of a slot that was withdrawn or scaled away another worker and a new cookie', async t => {
    const { args, env } = breakable('hello.cjs')
    const monohull = startMonohull(t, {
      args,
      env: { ...env, MONOHULL_BALANCE: 'sticky', MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '2' },
    })
    await allReady(monohull, 2)
    await breakSlot(monohull, 2)
    const moved = await until('another worker', async () => {
      const answer = await monohull.request(withCookie('2'))
      return cookieOf(answer) !== undefined && answer
    })
    assert.deepEqual([workerOf(moved), cookieOf(moved)?.split(';')[0]], ['app.1', 'monohull_app=1'])
    rmSync(join(monohull.folder, 'stop2'))
    await until('slot 2 to be back', async () => workerOf(await monohull.request(withCookie('2'))) === 'app.2')
    monohull.signal('SIGTTOU')
    await monohull.seen(/scaled to 1 worker/)
    // nginx's workers of before the change may still answer for a moment
    const scaled = await until('the cookie of the other', async () => {
      const answer = await monohull.request({ ...withCookie('2'), method: 'POST', body: 'x' })
      assert.equal(answer.status, 200)
      return cookieOf(answer) !== undefined && answer
    })
    assert.deepEqual([workerOf(scaled), cookieOf(scaled)?.split(';')[0]], ['app.1', 'monohull_app=1'])
  })
})

/** Clients of socket.io as browsers are: each with its own cookies. */
function connect(t: TestContext, monohull: Monohull, transports: string[], count = 6): Socket[] {
  const sockets = Array.from({ length: count }, () =>
    io(`http://127.0.0.1:${monohull.instance().httpPort}`, {
      transports,
      withCredentials: true,
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
    }),
  )
  defer(t, () => {
    for (const socket of sockets) socket.close()
  })
  return sockets
}

const question = async (socket: Socket, text: string): Promise<{ text: string; worker: string; pid: number }> =>
  socket.timeout(20_000).emitWithAck('ask', text)

describe('socket.io with four workers', () => {
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    it(`works over ${transports.join(' and ')} with sticky, and comes back after a rolling restart`, async t => {
      const env = { MONOHULL_BALANCE: 'sticky', MONOHULL_GRACEFUL_TIMEOUT: '1s', ...plain }
      const monohull = startMonohull(t, { args: ['run', 'node', fixture('socketio.cjs')], env })
      await allReady(monohull, 4)
      const sockets = connect(t, monohull, transports)
      const before = await Promise.all(sockets.map(socket => question(socket, 'first')))
      for (let count = 0; count < 5; count++) {
        const answers = await Promise.all(sockets.map(socket => question(socket, `${count}`)))
        assert.deepEqual(
          answers.map(({ pid }) => pid),
          before.map(({ pid }) => pid),
          'a session stays with its worker',
        )
      }
      const old = new Set(before.map(({ pid }) => pid))
      monohull.signal('SIGUSR2')
      await monohull.seen(/workers replaced/)
      for (const socket of sockets) {
        await until('a new worker to answer', async () => {
          const answer = await socket
            .timeout(2000)
            .emitWithAck('ask', 'again')
            .catch(() => undefined)
          return answer !== undefined && !old.has(answer.pid)
        })
      }
    })
  }

  it('breaks without it: a poll that meets another worker is refused', async t => {
    const monohull = startMonohull(t, { args: ['run', 'node', fixture('socketio.cjs')], env: plain })
    await allReady(monohull, 4)
    const path = '/socket.io/?EIO=4&transport=polling'
    const refused = await until('a refused poll', async () => {
      const { sid } = JSON.parse((await monohull.request({ path })).body.slice(1))
      const next = await monohull.request({ path: `${path}&sid=${sid}`, method: 'POST', body: '40' })
      return next.status === 400 && next
    })
    assert.match(refused.body, /Session ID unknown/)
  })
})

describe('balance: ip_hash', () => {
  it('leads an address to one worker, waits for it, and goes to another while it is withdrawn', async t => {
    const { args, env } = breakable('hello.cjs')
    const monohull = startMonohull(t, { args, env: { ...env, MONOHULL_BALANCE: 'ip_hash', ...plain } })
    await allReady(monohull, 4)
    const home = await until('one worker for all', async () => {
      const workers = new Set<string>()
      for (let count = 0; count < 6; count++) workers.add(workerOf(await monohull.request()))
      return workers.size === 1 && [...workers][0]
    })
    const slot = Number(home.slice('app.'.length))
    const dropped = monohull.request({ path: '/slow?ms=300' })
    await until('the request to arrive', () => monohull.request())
    process.kill(monohull.worker(slot), 'SIGKILL')
    assert.equal((await dropped).status, 200)
    // a request on a kept connection that ended with the worker is sent to another one
    await until('the worker that comes back', async () => workerOf(await monohull.request()) === home)
    await breakSlot(monohull, slot)
    await until('another worker', async () => {
      const answer = await monohull.request()
      return answer.status === 200 && workerOf(answer) !== home
    })
  })

  it('answers a GET that the only worker dropped', async t => {
    const env = { MONOHULL_BALANCE: 'ip_hash', MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '1' }
    const monohull = startMonohull(t, { args: hello, env })
    await monohull.serving()
    const dropped = monohull.request({ path: '/slow?ms=300' })
    await until('the request to arrive', () => monohull.request())
    process.kill(monohull.worker(1), 'SIGKILL')
    assert.equal((await dropped).status, 200, monohull.output())
  })
})

describe('balance: round_robin', () => {
  it('goes to one worker after the other', async t => {
    const env = { MONOHULL_BALANCE: 'round_robin', MONOHULL_NGINX_WORKER_PROCESSES: '1', ...plain }
    const monohull = startMonohull(t, { args: hello, env })
    await monohull.serving()
    await until('all four in turn', async () => {
      const workers: string[] = []
      for (let count = 0; count < 8; count++) workers.push(workerOf(await monohull.request()))
      return new Set(workers.slice(0, 4)).size === 4 && workers.slice(0, 4).join() === workers.slice(4).join()
    })
  })
})

describe('a worker that is ready long after the first one', () => {
  it('gets its share of requests, which nginx sends on kept connections, and its name in the access log', async t => {
    const wait = 'while [ $MONOHULL_SLOT = 2 ] && [ ! -e go ]; do sleep 0.05; done'
    const args = ['run', 'sh', '-c', `${wait}; exec node ${fixture('hello.cjs')}`]
    const env = { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '2', MONOHULL_NGINX_WORKER_PROCESSES: '1' }
    const monohull = startMonohull(t, { args, env })
    await monohull.serving()
    // a connection for each entry of nginx
    for (let count = 0; count < 60; count++) assert.equal(workerOf(await monohull.request()), 'app.1')
    writeFileSync(join(monohull.folder, 'go'), '')
    await until(
      'equal shares',
      async () => {
        const from = monohull.output().length
        const bodies: string[] = []
        for (let count = 0; count < 24; count++) bodies.push(workerOf(await monohull.request()))
        await until('the lines', () => monohull.output().slice(from).split(' access| ').length > 24)
        const lines = monohull
          .output()
          .slice(from)
          .matchAll(/ access\| .* (app\.\d) [\d.]+ "/g)
        assert.equal(
          [...new Set(bodies)].every(name => /^app\.[12]$/.test(name)),
          true,
        )
        const named = [...lines].map(([, name]) => name)
        return bodies.filter(name => name === 'app.2').length === 12 && named.join() === bodies.join()
      },
      { deadlineMs: 20_000 },
    )
  })
})
