import http from 'node:http'
import net from 'node:net'
import { performance } from 'node:perf_hooks'
import { contract, notify, warn } from './contract.ts'
import { followSessions, isHttp2, type Sessions } from './http2-server.ts'
import { describeListen, type ListenArguments, type ListenRequest, parseListen } from './listen-request.ts'
import { answerProbes } from './probe-response.ts'
import { isQuiet, rankOf, sureRank } from './rank.ts'
import { announceRequests } from './request-channel.ts'
import { createSocketListener, listenForReal, refuseConnections, type SocketListener } from './socket-listener.ts'

/** Minimum keep-alive timeout. nginx closes idle upstream connections after 4 s, and the worker must not close one first. */
const minKeepAliveMs = 65_000
/** Times between which a server waits, whether the app starts a likelier one. */
const [settleEveryMs, settleAtMostMs] = [50, 5000]
/** Time without a server after which the worker is not ready any more. */
const silenceMs = 1000

/** The app's server to which nginx passes requests. */
export interface PublicServer {
  server: http.Server
  /** Open connections from nginx. */
  connections: Set<net.Socket>
  /** Undefined for HTTP/1. */
  sessions: Sessions | undefined
  /** Stops accepting. Resolves when all connections are closed. */
  close(): Promise<void>
}

interface Candidate extends PublicServer {
  request: ListenRequest
  rank: number
  since: number
  /** Undefined with `listen: port`. */
  socket: SocketListener | undefined
  isOpen: boolean
  cancel(): void
}

/** Choice of the server to which nginx passes requests. */
export interface PublicServers {
  listen(server: net.Server, args: ListenArguments): net.Server
  current(): PublicServer | undefined
  /** The worker drains: servers that close are no news. */
  end(): void
}

/**
 * Choice among the app's HTTP servers: the one on $PORT, else one that others than this machine can reach, else the only one. A
 * server that closes loses the worker's socket to the next one that listens. The worker is ready while one of them accepts.
 */
export function createPublicServers(onListen: () => void): PublicServers {
  /** $PORT of a worker without a socket; the app may change the variable. */
  const ownPort = Number(process.env.PORT)
  const prepared = new WeakMap<http.Server, Pick<PublicServer, 'connections' | 'sessions'>>()
  let current: Candidate | undefined
  let others: { server: http.Server; request: ListenRequest; rank: number }[] = []
  let isReady = false
  let isOver = false
  let silence: NodeJS.Timeout | undefined
  let endRefusal = () => {}

  function listen(server: net.Server, args: ListenArguments): net.Server {
    const request = parseListen(args)
    const isOwn = !request.isHandle || fdOf(args) === contract.socketDescriptor
    if (isOver || server.listening || !isOwn) return listenForReal(server, args)
    if (!isCandidate(server)) {
      const mismatch = describeMismatch(server)
      if (mismatch) setTimeout(() => !current && server.listening && warn(mismatch), silenceMs).unref()
      if (current && contract.socketInode > 0) warnOfSecondListen(server, args, '')
      return listenForReal(server, args)
    }
    onListen()
    const rank = rankOf(request)
    if (contract.socketInode === 0) return listenOnPort(server, request, { rank, args })
    if (current && rank <= current.rank) return listenBeside(server, request, { rank, args })
    if (current) giveWay(current, request)
    return adopt(server, request, rank)
  }

  /** With `listen: port`: the server on $PORT is the public one. */
  function listenOnPort(
    server: http.Server,
    request: ListenRequest,
    { rank, args }: { rank: number; args: ListenArguments },
  ): net.Server {
    if (request.port !== ownPort) return listenForReal(server, args)
    server.once('listening', () => {
      current = candidate(server, request, rank)
      open(current)
    })
    return listenForReal(server, args)
  }

  function listenBeside(
    server: http.Server,
    request: ListenRequest,
    { rank, args }: { rank: number; args: ListenArguments },
  ): net.Server {
    others = [...others.filter(other => other.server !== server && other.server.listening), { server, request, rank }]
    // Fastify listens on every address of localhost
    const isTwin = request.port !== undefined && request.port > 0 && request.port === current?.request.port
    const isAmbiguous = current?.rank === rank && rank < 3
    const fix = isAmbiguous ? ' If the second is the public one, set PORT in app.env to its port.' : ''
    if (!isTwin) warnOfSecondListen(server, args, fix)
    return listenForReal(server, args)
  }

  function candidate(server: http.Server, request: ListenRequest, rank: number): Candidate {
    let timer: NodeJS.Timeout | undefined
    const made: Candidate = {
      server,
      request,
      rank,
      since: performance.now(),
      socket: undefined,
      ...prepare(server),
      isOpen: false,
      cancel: () => clearTimeout(timer),
      async close() {
        await Promise.all([
          made.socket?.closeGate(),
          new Promise<void>(resolve => {
            net.Server.prototype.close.call(server, () => resolve())
          }),
        ])
      },
    }
    const settle = () => {
      if (current !== made || made.isOpen || isOver) return
      if (mayOpen(made)) open(made)
      else timer = setTimeout(settle, settleEveryMs)
    }
    server.once('listening', () => setImmediate(settle))
    return made
  }

  function adopt(server: http.Server, request: ListenRequest, rank: number): net.Server {
    const made = candidate(server, request, rank)
    current = made
    clearTimeout(silence)
    endRefusal()
    made.socket = createSocketListener(server, request, () => released(made))
    return server
  }

  function open(opened: Candidate): void {
    const { server } = opened
    opened.isOpen = true
    if (server.keepAliveTimeout > 0 && server.keepAliveTimeout < minKeepAliveMs)
      server.keepAliveTimeout = minKeepAliveMs
    opened.socket?.resume()
    isReady = true
    notify('READY=1')
  }

  /** Lets a server that seemed to be the public one listen where it asked to. */
  function giveWay(former: Candidate, request: ListenRequest): void {
    former.cancel()
    if (former.isOpen)
      warn(
        `the app's server at ${describeListen(request)} gets the requests from now on, not the one at ${describeListen(former.request)}; let it listen first`,
      )
    former.socket?.standAside()
    current = undefined
  }

  function released(former: Candidate): void {
    former.cancel()
    if (current !== former || isOver) return
    current = undefined
    const [next] = others
      .filter(({ server, rank }) => server !== former.server && server.listening && rank > 0)
      .sort((one, other) => other.rank - one.rank)
    if (next) promote(next)
    else if (isReady) silence = setTimeout(reportSilence, silenceMs).unref()
  }

  function promote({ server, request, rank }: { server: http.Server; request: ListenRequest; rank: number }): void {
    warn(`the app closed its server; nginx passes requests to its other one, at ${describeListen(request)}, now`)
    const made = candidate(server, request, rank)
    current = made
    made.socket = createSocketListener(server, undefined, () => released(made))
    open(made)
  }

  function reportSilence(): void {
    if (current || isOver) return
    isReady = false
    notify('READY=0')
    // what nginx passes on before it knows does not wait for a server that may never come
    endRefusal = refuseConnections()
    warn('the app closed its HTTP server; this worker gets requests again when one listens')
  }

  /** Once per server: connections from nginx are noted, and look like TCP; probes do not reach the app. */
  function prepare(server: http.Server): Pick<PublicServer, 'connections' | 'sessions'> {
    const known = prepared.get(server)
    if (known) return known
    const connections = new Set<net.Socket>()
    server.prependListener('connection', (socket: net.Socket & { _peername?: object }) => {
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
      // a unix socket has no peer address, but apps expect one; the peer is nginx on this machine
      if (contract.socketInode > 0) socket._peername ??= { address: '127.0.0.1', family: 'IPv4', port: 0 }
    })
    const countRequest = contract.requestLimit > 0 ? createCounter() : () => {}
    const sessions = isHttp2(server) ? followSessions(server, countRequest) : undefined
    if (!sessions) {
      if (contract.requestLimit > 0) server.prependListener('request', countRequest)
      announceRequests(server)
      answerProbes(server)
    }
    const found = { connections, sessions }
    prepared.set(server, found)
    return found
  }

  return {
    listen,
    current: () => current,
    end() {
      isOver = true
      clearTimeout(silence)
      endRefusal()
      current?.cancel()
    },
  }
}

/** Whether a server is the public one: surely, or because the app does not seem to start another. */
function mayOpen({ server, rank, since }: Candidate): boolean {
  const waitedMs = performance.now() - since
  if (waitedMs >= settleAtMostMs) return true
  const hasHandler = ['request', 'upgrade', 'checkContinue', 'stream', 'session'].some(
    event => server.listenerCount(event) > 0,
  )
  return hasHandler && (rank >= sureRank || (waitedMs >= settleEveryMs && isQuiet()))
}

function fdOf([first]: ListenArguments): unknown {
  return typeof first === 'object' && first !== null && 'fd' in first ? first.fd : undefined
}

/** Counter of requests, which reports when there were as many as the limit. */
function createCounter(): () => void {
  let count = 0
  return () => {
    if (++count === contract.requestLimit) notify(`REQUESTS=${count}`)
  }
}

/** Whether nginx can speak to a server. */
function isCandidate(server: net.Server): server is http.Server {
  return contract.protocol === 'grpc' ? isHttp2(server) : contract.protocol === 'http' && server instanceof http.Server
}

/** What a server speaks that nginx does not speak to it, with the fix; undefined if it is none of these. */
function describeMismatch(server: net.Server): string | undefined {
  const [spoken, fix] =
    // of tls.Server; node:tls is not loaded for apps without it
    'setSecureContext' in server
      ? ['TLS', 'create it with node:http: nginx terminates TLS']
      : isHttp2(server)
        ? ['HTTP/2 without TLS (h2c)', 'set protocol: grpc if it is a gRPC server, or create it with node:http']
        : server instanceof http.Server
          ? ['HTTP', 'remove protocol']
          : []
  return spoken && `the app's server speaks ${spoken}, and nginx speaks ${contract.protocol} to it: ${fix}`
}

function warnOfSecondListen(server: net.Server, args: ListenArguments, fix: string): void {
  const [first] = args
  const target = typeof first === 'object' ? JSON.stringify(first) : String(first)
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') return
    warn(
      `the app listens a second time (${target}), and that port is taken. Only the first listen() is connected to nginx; ` +
        'another worker of this app probably holds the port: listen on port 0, or set workers: 1.',
    )
  })
  warn(`the app listens a second time (${target}); nginx passes requests to its first listen() only.${fix}`)
}
