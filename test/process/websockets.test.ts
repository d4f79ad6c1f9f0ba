import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { defer, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const count = 1000
/** Opened at the same time. */
const batch = 100
const deadlineMs = 60_000
const home = new URL('../../', import.meta.url).pathname

/** A connection that is held open, and to which process it leads. */
interface Connection {
  socket: WebSocket
  pid: number
  /** When the other side ended it, by performance.now(). */
  closedAt: number | undefined
}

async function startEcho(t: TestContext, gracefulTimeout: string): Promise<Monohull> {
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  assert.ok(
    limit >= 4096,
    `cannot open ${count} connections: at most ${limit} files may be open; raise it: ulimit -n 4096`,
  )
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('streams.cjs')],
    env: {
      MONOHULL_HTTPS: 'off',
      MONOHULL_MIN_UPTIME: '0s',
      MONOHULL_GRACEFUL_TIMEOUT: gracefulTimeout,
      MONOHULL_STOP_TIMEOUT: '120s',
      NODE_PATH: `${home}node_modules`,
    },
  })
  await monohull.serving()
  await monohull.seen(/worker ready worker=app\.2/)
  return monohull
}

async function connect(t: TestContext, monohull: Monohull): Promise<Connection> {
  const socket = new WebSocket(`ws://127.0.0.1:${monohull.instance().httpPort}/`)
  defer(t, () => socket.terminate())
  await once(socket, 'open', { signal: AbortSignal.timeout(deadlineMs) })
  const connection: Connection = { socket, pid: 0, closedAt: undefined }
  socket.on('close', () => {
    connection.closedAt = performance.now()
  })
  connection.pid = await echo(connection, 'first')
  return connection
}

async function connectAll(t: TestContext, monohull: Monohull): Promise<Connection[]> {
  const all: Connection[] = []
  while (all.length < count) all.push(...(await Promise.all(Array.from({ length: batch }, () => connect(t, monohull)))))
  return all
}

/** The process that sent the text back. */
async function echo({ socket }: Connection, text: string): Promise<number> {
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(deadlineMs) })
  socket.send(text)
  const [pid, echoed] = String((await answered)[0]).split(' ')
  assert.equal(echoed, text)
  return Number(pid)
}

/** Every connection sends the text back, from the process that it began with. */
async function echoAll(all: readonly Connection[], text: string): Promise<void> {
  const pids = await Promise.all(all.map(connection => echo(connection, text)))
  assert.deepEqual(
    pids,
    all.map(({ pid }) => pid),
  )
}

/** Begins a rolling restart; settles when new workers are in both slots. */
async function roll(monohull: Monohull, meanwhile: () => Promise<void>): Promise<number[]> {
  const before = [monohull.worker(1), monohull.worker(2)]
  const from = monohull.output().length
  monohull.signal('SIGUSR2')
  await until(
    'new workers in both slots',
    async () => {
      await meanwhile()
      return [1, 2].every(slot => monohull.output().slice(from).includes(`worker ready worker=app.${slot}`))
    },
    { deadlineMs, details: monohull.output },
  )
  const after = [monohull.worker(1), monohull.worker(2)]
  assert.ok(after.every(pid => !before.includes(pid)))
  return after
}

describe(`${count} WebSockets`, () => {
  it('echo before, while and after all workers are replaced, and none is lost', async t => {
    const monohull = await startEcho(t, '100s')
    const old = [monohull.worker(1), monohull.worker(2)]
    const all = await connectAll(t, monohull)
    assert.deepEqual(new Set(all.map(({ pid }) => pid)), new Set(old))
    let rounds = 0
    const replaced = await roll(monohull, () => echoAll(all, `during-${++rounds}`))
    const late = await until('a connection to a new worker', async () => {
      const connection = await connect(t, monohull)
      return replaced.includes(connection.pid) && connection
    })
    await echoAll(all, 'after')
    assert.deepEqual(
      all.filter(({ closedAt }) => closedAt !== undefined),
      [],
    )
    // the clients leave, and so the old workers need not wait
    const closed = all.map(({ socket }) => once(socket, 'close', { signal: AbortSignal.timeout(deadlineMs) }))
    for (const { socket } of all) socket.close(1000)
    assert.deepEqual(new Set((await Promise.all(closed)).map(([code]) => code)), new Set([1000]))
    for (const pid of old)
      await monohull.seen(new RegExp(`worker stopped worker=app\\.\\d pid=${pid} exit="exit code 0"`))
    assert.equal(await echo(late, 'last'), late.pid)
    assert.doesNotMatch(monohull.output(), / (warn|error) /)
  })

  it('are held for three quarters of graceful_timeout, and then all find a new worker at once', async t => {
    const monohull = await startEcho(t, '4s')
    const all = await connectAll(t, monohull)
    const from = performance.now()
    const again = all.map(async ({ socket }) => {
      await once(socket, 'close', { signal: AbortSignal.timeout(deadlineMs) })
      return connect(t, monohull)
    })
    const replaced = await roll(monohull, () => Promise.resolve())
    const pids = (await Promise.all(again)).map(({ pid }) => pid)
    const held = all.map(({ closedAt = 0 }) => closedAt - from)
    assert.ok(Math.min(...held) >= 3000, `one was held for ${Math.min(...held)} ms`)
    assert.deepEqual(new Set(pids), new Set(replaced))
    assert.doesNotMatch(monohull.output(), / error /)
  })
})
