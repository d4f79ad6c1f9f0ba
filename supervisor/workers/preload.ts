/**
 * Preload of Node workers, which runs before the app (`node --require`). It gives the app's first HTTP server the worker's
 * socket, reports readiness when the server listens, and drains on SIGTERM without losing a request. The app needs no change
 * and sees a TCP server. The file imports nothing from the supervisor and runs on Node 18 and later.
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
/** Minimum keep-alive timeout. nginx closes idle upstream connections after 4 s, and the worker must not close one first. */
const minKeepAliveMs = 65_000
const backlog = 4096

/** Whether this process has the worker's descriptors; a child of the app may have inherited only the environment. */
function isWorker(): boolean {
  try {
    if (socketInode > 0) return fs.fstatSync(inheritedDescriptor).ino === socketInode
    return notifyDescriptor > 0 && !fs.fstatSync(notifyDescriptor).isFile()
  } catch {
    return false // the descriptor is closed here
  }
}

function notify(message: string): void {
  try {
    fs.writeSync(notifyDescriptor, `${message}\n`)
  } catch {
    // the supervisor is gone or does not read; the worker keeps serving
  }
}

/** Removes the contract's variables, so that child processes of the app do not act as workers. */
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

/** Reports the utilization of the event loop, for scaling by load. The writes do not block if the supervisor does not read. */
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
  const requestedPort = portOf(args)
  server.prependListener('connection', (socket: net.Socket & { _peername?: object }) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    // a unix socket has no peer address, but apps expect one; the peer is nginx on this machine
    if (socketInode > 0) socket._peername ??= { address: '127.0.0.1', family: 'IPv4', port: 0 }
  })
  if (requestLimit > 0) countRequests(server)
  server.once('listening', () => {
    if (server.keepAliveTimeout > 0 && server.keepAliveTimeout < minKeepAliveMs)
      server.keepAliveTimeout = minKeepAliveMs
    notify('READY=1')
  })
  if (!(socketInode > 0)) return originalListen.apply(server, args)
  server.address = () => ({ address: '127.0.0.1', family: 'IPv4', port: requestedPort })
  const callback = args.findLast(argument => typeof argument === 'function')
  return originalListen.call(server, { fd: inheritedDescriptor }, backlog, ...(callback ? [callback] : []))
}

function countRequests(server: http.Server): void {
  let count = 0
  server.prependListener('request', () => {
    if (++count === requestLimit) notify(`REQUESTS=${count}`)
  })
}

/** Sends heartbeats, which show that the event loop is not blocked. They are dropped if the supervisor does not read. */
function startHeartbeat(): void {
  // makes the descriptor non-blocking, which Node does only for its own handles
  new net.Socket({ fd: notifyDescriptor, readable: false, writable: true }).unref()
  // SIGUSR1 starts the inspector in a hung worker, and workers must not compete for its port
  if (!process.execArgv.some(argument => argument.startsWith('--inspect'))) process.debugPort = 0
  notify('WATCHDOG=1')
  setInterval(notify, heartbeatMs, 'WATCHDOG=1').unref()
}

/** TCP port that the app requested, which `address()` returns. */
function portOf(args: ListenArguments): number {
  const first = args[0]
  const port = typeof first === 'object' && first !== null && 'port' in first ? first.port : first
  return Number(port) > 0 ? Number(port) : 3000
}

function warnOfSecondListen(server: net.Server, args: ListenArguments): void {
  const first = args[0]
  const target = typeof first === 'object' ? JSON.stringify(first) : String(first)
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') return
    process.stderr.write(
      `monohull: the app listens a second time (${target}), and that port is taken. Only the first listen() is connected to nginx; ` +
        'another worker of this app probably holds the port: listen on port 0, or set workers: 1.\n',
    )
  })
  process.stderr.write(
    `monohull: the app listens a second time (${target}); nginx passes requests to its first listen() only.\n`,
  )
}

/**
 * Drains the server, then calls `done`: it stops listening, sends `Connection: close` with further responses, and leaves idle
 * connections to nginx, which closes them within 4 s. Closing an idle connection here could hit a POST on its way: a 502.
 */
function drain({ server, connections }: Adoption, done: () => void): void {
  let isDone = false
  const finish = () => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    done()
  }
  // the app's own handler still runs in time if a WebSocket stays open
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

/** Makes SIGTERM drain first. Then the app's own handlers run; if it has none, the process exits. */
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
