import cluster from 'node:cluster'
import type http from 'node:http'
import net from 'node:net'
import { contract, warn } from './contract.ts'
import { describeListen, type ListenArguments, type ListenRequest } from './listen-request.ts'

const backlog = 4096

/** `listen` as Node has it. */
const originalListen = net.Server.prototype.listen as (this: net.Server, ...args: ListenArguments) => net.Server

/** Lets a server listen where it asks to. */
export function listenForReal(server: net.Server, args: ListenArguments): net.Server {
  return originalListen.apply(server, args)
}

/** Handle of a listening server, in Node 18 to 26. These methods return 0 or a negative errno. */
interface Handle {
  listen(backlog: number): number
  readStart(): number
  readStop(): number
  unref(): void
  close(done?: () => void): void
}

type HandleOwner = net.Server & {
  _handle: Handle | null
  _listen2(address: null, port: null, family: null, backlog: number, fd: number): void
}

/** The worker's socket in the hands of one server. It stays open in this process whatever the server does. */
export interface SocketListener {
  /** Accepts connections. Before, they wait in the socket's queue. */
  resume(): void
  /** Gives the socket up for another server, and lets this one listen where it asked to. */
  standAside(): void
  /** Stops accepting for a server that listens elsewhere too. Resolves when all those connections are closed. */
  closeGate(): Promise<void>
}

/**
 * Lets `server` listen on the worker's socket instead of where it asked to. Without `request` it listens already, and gets the
 * connections of the socket besides. It accepts none before `resume`. `onClosed` is called when the server closes.
 */
export function createSocketListener(
  server: http.Server,
  request: ListenRequest | undefined,
  onClosed: () => void,
): SocketListener {
  return request ? takeOver(server, request, onClosed) : createGate(server, onClosed)
}

function takeOver(server: http.Server, request: ListenRequest, onClosed: () => void): SocketListener {
  let beside: net.Server | undefined
  let isAside = false
  // an app may change the mode of its own socket when it listens
  if (request.path !== undefined) beside = listenBeside(server, request)
  const { callback, port } = request
  if (callback) server.once('listening', callback)
  listenAtSocket(server, request.signal)
  const handle = handleOf(server)
  park(handle)
  server.address = () => {
    if (!server.listening) return null
    const real = beside?.address()
    if (real !== null && real !== undefined) return real
    return request.path ?? { address: '127.0.0.1', family: 'IPv4', port: port !== undefined && port > 0 ? port : 3000 }
  }
  onClose(handle, () => {
    Reflect.deleteProperty(server, 'address')
    beside?.close()
    onClosed()
  })
  return {
    resume: () => void handle.listen(backlog),
    standAside() {
      if (isAside) return
      isAside = true
      park(handle)
      beside ??= listenBeside(server, request)
      server.closeIdleConnections?.()
    },
    async closeGate() {},
  }
}

function createGate(server: http.Server, onClosed: () => void): SocketListener {
  const gate = net.createServer({ allowHalfOpen: true, noDelay: true }, socket => server.emit('connection', socket))
  listenAtSocket(gate, undefined)
  const handle = handleOf(gate)
  park(handle)
  onClose(handle, () => {})
  const close = () =>
    new Promise<void>(resolve => {
      gate.close(() => resolve())
    })
  const own = handleOf(server)
  const closeOwn = own.close
  own.close = done => {
    void close()
    onClosed()
    closeOwn.call(own, done)
  }
  return { resume: () => void handle.listen(backlog), standAside: () => park(handle), closeGate: close }
}

/** Closes connections at the socket, so that nginx passes their requests elsewhere. Returns a function that ends it. */
export function refuseConnections(): () => void {
  const gate = net.createServer(socket => socket.destroy())
  listenAtSocket(gate, undefined)
  const handle = handleOf(gate)
  handle.unref()
  onClose(handle, () => {})
  return () => {
    if (gate.listening) gate.close()
  }
}

/** Listens on the worker's socket, also in a process of a cluster, whose primary would listen instead. */
function listenAtSocket(server: net.Server, signal: unknown): void {
  const fd = contract.socketDescriptor
  if (cluster.isPrimary) listenForReal(server, [{ fd, ...(signal === undefined ? {} : { signal }) }, backlog])
  else (server as HandleOwner)._listen2(null, null, null, backlog, fd)
}

/** A server that listens where `server` asked to, and passes its connections on. Its errors are only logged. */
function listenBeside(server: http.Server, request: ListenRequest): net.Server {
  const beside = net.createServer({ allowHalfOpen: true, noDelay: true }, socket => server.emit('connection', socket))
  beside.on('error', (error: NodeJS.ErrnoException) =>
    warn(
      `the app cannot listen at ${describeListen(request)} besides: ${error.code}` +
        (error.code === 'EADDRINUSE' ? '; another worker of this app probably listens there' : ''),
    ),
  )
  const { path, port, host } = request
  listenForReal(beside, [path === undefined ? { port: port ?? 0, ...(host === undefined ? {} : { host }) } : { path }])
  return beside
}

/** Handle of a server; one that does nothing if it could not listen, which the server reports itself. */
function handleOf(server: net.Server): Handle {
  const nothing = () => 0
  const none: Handle = { listen: nothing, readStart: nothing, readStop: nothing, unref: nothing, close: nothing }
  return (server as HandleOwner)._handle ?? none
}

/** Stops accepting. Reading must begin before it can stop; both concern the same watch of the descriptor. */
function park(handle: Handle): void {
  handle.readStart()
  handle.readStop()
}

/** Replaces the closing of a handle, which would close the worker's socket in this process for good. */
function onClose(handle: Handle, closed: () => void): void {
  handle.close = done => {
    park(handle)
    handle.unref()
    closed()
    if (done) setImmediate(done)
  }
}
