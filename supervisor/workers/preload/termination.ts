import { contract, notify } from './contract.ts'
import type { PublicServer } from './public-server.ts'

/**
 * Drains the server, then calls `done`: it stops listening, sends `Connection: close` (GOAWAY) with further responses, and leaves idle
 * connections to nginx, which closes them within 4 s. Closing an idle connection here could hit a POST on its way: a 502.
 */
function drain({ server, connections, sessions, close }: PublicServer, done: () => void): void {
  let isDone = false
  const finish = () => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    done()
  }
  // the app's own handler still runs in time if a WebSocket stays open
  const timer = setTimeout(finish, contract.gracefulTimeoutMs * 0.75)
  timer.unref()
  if (sessions) sessions.drain()
  // an HTTP/2 server with such a listener would take over its streams
  else
    server.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false
    })
  const closeIdleConnections = server.closeIdleConnections
  server.closeIdleConnections = () => {}
  const closed = close()
  server.close = callback => {
    server.closeIdleConnections = closeIdleConnections
    if (callback) void closed.then(() => callback())
    return server
  }
  void closed.then(finish)
  if (connections.size === 0) setImmediate(finish)
}

type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean

/** The signal to stop as this process handles it: SIGTERM, unless configured otherwise. */
export interface Termination {
  /** Leaves it to the system, for a process that waits for a child and handles nothing. */
  pause(): void
  resume(): void
}

/** Makes this signal drain first. Then the app's own handlers run; if it has none, the process exits. */
export function interceptTermination(onTermination: () => PublicServer | undefined): Termination {
  const emit = process.emit as unknown as Emit
  const placeholder = () => {}
  let phase: 'serving' | 'draining' | 'drained' = 'serving'
  const handOver = (args: unknown[]) => {
    phase = 'drained'
    process.removeListener(contract.stopSignal, placeholder)
    if (process.listenerCount(contract.stopSignal) > 0) emit.call(process, contract.stopSignal, ...args)
    else process.exit(0)
  }
  const patched: Emit = (event, ...args) => {
    if (event !== contract.stopSignal || phase === 'drained') return emit.call(process, event, ...args)
    if (phase === 'draining') return true
    phase = 'draining'
    notify('STOPPING=1')
    const serving = onTermination()
    if (serving) drain(serving, () => handOver(args))
    else handOver(args)
    return true
  }
  process.emit = patched as unknown as typeof process.emit
  process.on(contract.stopSignal, placeholder)
  return {
    pause: () => process.removeListener(contract.stopSignal, placeholder),
    resume() {
      if (phase === 'serving') process.on(contract.stopSignal, placeholder)
    },
  }
}
