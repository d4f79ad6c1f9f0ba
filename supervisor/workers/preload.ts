/**
 * Runs inside a Node worker before the app (`node --require`). It gives the app's first HTTP server the worker's socket,
 * says when it listens, and on SIGTERM drains without losing a request. The app needs no change and sees a TCP server.
 * It stands alone: nothing of the supervisor is imported, and it runs on any Node from 18 on.
 */
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { performance } from 'node:perf_hooks'

const env = process.env
const notifyDescriptor = Number(env.MONOHULL_NOTIFY_FD)
const socketInode = Number(env.MONOHULL_SOCKET_INODE)
const gracefulTimeoutMs = Number(env.MONOHULL_GRACEFUL_TIMEOUT_MS ?? 8000)
const loadIntervalMs = Number(env.MONOHULL_LOAD_INTERVAL_MS)
const heartbeatMs = Number(env.MONOHULL_HEARTBEAT_MS ?? 0)
const requestLimit = Number(env.MONOHULL_REQUEST_LIMIT ?? 0)
const inheritedDescriptor = 3
/** nginx closes idle upstream connections after 4 s; the worker must never be the first to close one. */
const leastKeepAliveMs = 65_000
const backlog = 4096

/** True in the process that holds the worker's descriptors, false in one that only inherited its environment. */
function isWorker(): boolean {
  try {
    if (socketInode > 0) return fs.fstatSync(inheritedDescriptor).ino === socketInode
    return notifyDescriptor > 0 && !fs.fstatSync(notifyDescriptor).isFile()
  } catch {
    return false // the descriptor is closed here
  }
}

function notify(word: string): void {
  try {
    fs.writeSync(notifyDescriptor, `${word}\n`)
  } catch {
    // the supervisor is gone or does not read; the worker serves all the same
  }
}

/** Children of the app must not take themselves for workers. */
function hideContract(): void {
  const own = env.NODE_OPTIONS ?? ''
  env.NODE_OPTIONS = own.replace(/^--require ("(?:[^"\\]|\\.)*"|\S+) ?/, '')
  if (env.NODE_OPTIONS === '') delete env.NODE_OPTIONS
  for (const name of [
    'LISTEN_FDS',
    'LISTEN_PID',
    'LISTEN_FDNAMES',
    'MONOHULL_SOCKET_INODE',
    'MONOHULL_NOTIFY_FD',
    'MONOHULL_GRACEFUL_TIMEOUT_MS',
    'MONOHULL_LOAD_INTERVAL_MS',
    'MONOHULL_REQUEST_LIMIT',
    'MONOHULL_HEARTBEAT_MS',
  ]) {
    delete env[name]
  }
}

/** Tells what share of the time the event loop was busy, where the pool is scaled by it. A supervisor that does not read holds up nothing. */
function reportLoad(): void {
  let before = performance.eventLoopUtilization()
  let isWriting = false
  const report = () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    if (isWriting) return
    isWriting = true
    fs.write(notifyDescriptor, `LOAD=${utilization.toFixed(2)}\n`, () => {
      isWriting = false
    })
  }
  setInterval(report, loadIntervalMs).unref()
}

interface Adoption {
  server: http.Server
  /** Open connections. */
  connections: Set<net.Socket>
}

let adopted: Adoption | undefined

type ListenArguments = [unknown?, ...unknown[]]

const originalListen = net.Server.prototype.listen as (this: net.Server, ...args: ListenArguments) => net.Server

function listen(this: net.Server, ...args: ListenArguments): net.Server {
  if (this instanceof http.Server && !adopted) return adopt(this, args)
  if (adopted && this !== adopted.server) warnOfSecondListen(this, args)
  return originalListen.apply(this, args)
}

function adopt(server: http.Server, args: ListenArguments): net.Server {
  adopted = { server, connections: new Set() }
  const { connections } = adopted
  const asked = portOf(args)
  server.prependListener('connection', (socket: net.Socket & { _peername?: object }) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    // a unix socket has no peer address, and apps count on one; nginx is the peer, on this machine
    if (socketInode > 0) socket._peername ??= { address: '127.0.0.1', family: 'IPv4', port: 0 }
  })
  if (requestLimit > 0) countRequests(server)
  server.once('listening', () => {
    if (server.keepAliveTimeout > 0 && server.keepAliveTimeout < leastKeepAliveMs)
      server.keepAliveTimeout = leastKeepAliveMs
    notify('READY=1')
  })
  if (!(socketInode > 0)) return originalListen.apply(server, args)
  server.address = () => ({ address: '127.0.0.1', family: 'IPv4', port: asked })
  const callback = args.findLast(argument => typeof argument === 'function')
  return originalListen.call(server, { fd: inheritedDescriptor }, backlog, ...(callback ? [callback] : []))
}

function countRequests(server: http.Server): void {
  let count = 0
  server.prependListener('request', () => {
    if (++count === requestLimit) notify(`REQUESTS=${count}`)
  })
}

/** Tells the supervisor that the event loop turns. When it does not read for long, words are dropped instead of waited for. */
function startHeartbeat(): void {
  // sets the descriptor to non-blocking, which only a handle of Node's does
  new net.Socket({ fd: notifyDescriptor, readable: false, writable: true }).unref()
  // SIGUSR1 tells where a hung worker is: workers must not compete for one port
  if (!process.execArgv.some(word => word.startsWith('--inspect'))) process.debugPort = 0
  notify('WATCHDOG=1')
  setInterval(notify, heartbeatMs, 'WATCHDOG=1').unref()
}

/** The TCP port an app asked for, which `address()` goes on telling. */
function portOf(args: ListenArguments): number {
  const first = args[0]
  const port = typeof first === 'object' && first !== null && 'port' in first ? first.port : first
  return Number(port) > 0 ? Number(port) : 3000
}

function warnOfSecondListen(server: net.Server, args: ListenArguments): void {
  const first = args[0]
  const where = typeof first === 'object' ? JSON.stringify(first) : String(first)
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') return
    process.stderr.write(
      `monohull: the app listens a second time (${where}), and that port is taken. Only the first listen() is connected to nginx; ` +
        'another worker of this app probably holds the port: listen on port 0, or set workers: 1.\n',
    )
  })
  process.stderr.write(
    `monohull: the app listens a second time (${where}); nginx passes requests to its first listen() only.\n`,
  )
}

/**
 * The drain: stop listening, answer what still comes with `Connection: close`, leave idle connections to nginx, which
 * closes them in a moment; then `done`. Closing an idle connection from here could meet a POST on its way: a 502.
 */
function drain({ server, connections }: Adoption, done: () => void): void {
  let isDone = false
  const finish = () => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    done()
  }
  // so that the app's own handler still gets its turn when a WebSocket stays open
  const timer = setTimeout(finish, gracefulTimeoutMs * 0.75)
  timer.unref()
  server.prependListener('request', (_request, response) => {
    response.shouldKeepAlive = false
  })
  const closeIdleConnections = server.closeIdleConnections
  server.closeIdleConnections = () => {}
  const closed = new Promise<void>(resolve => {
    net.Server.prototype.close.call(server, () => resolve())
  })
  server.close = callback => {
    server.closeIdleConnections = closeIdleConnections
    if (callback) void closed.then(() => callback())
    return server
  }
  void closed.then(finish)
  if (connections.size === 0) setImmediate(finish)
}

type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean

/** SIGTERM first drains; then the app's own handlers run, or, when it has none, the process ends. */
function interceptTermination(): void {
  const emit = process.emit as unknown as Emit
  const placeholder = () => {}
  let phase: 'serving' | 'draining' | 'drained' = 'serving'
  const handOver = (args: unknown[]) => {
    phase = 'drained'
    process.removeListener('SIGTERM', placeholder)
    if (process.listenerCount('SIGTERM') > 0) emit.call(process, 'SIGTERM', ...args)
    else process.exit(0)
  }
  const patched: Emit = (event, ...args) => {
    if (event !== 'SIGTERM' || phase === 'drained') return emit.call(process, event, ...args)
    if (phase === 'draining') return true
    phase = 'draining'
    notify('STOPPING=1')
    if (adopted) drain(adopted, () => handOver(args))
    else handOver(args)
    return true
  }
  process.emit = patched as unknown as typeof process.emit
  process.on('SIGTERM', placeholder)
}

if (isWorker()) {
  hideContract()
  notify('STATUS=booting')
  if (heartbeatMs > 0) startHeartbeat()
  if (requestLimit > 0) notify(`REQUEST_LIMIT=${requestLimit}`)
  net.Server.prototype.listen = listen as typeof net.Server.prototype.listen
  interceptTermination()
  if (loadIntervalMs > 0) reportLoad()
}
