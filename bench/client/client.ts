import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, expectedBody, type Method, type Outcome, openConnection } from './connection.ts'
import { addFailures, emptyTally, type Phase, type Tally } from './tally.ts'

/**
 * Load of GETs and POSTs over keep-alive connections, each of which sends the next request as soon as it gets a response. As
 * RFC 9112 §9.3.1 allows, and like browsers and proxies, it repeats a GET once over a new connection if a connection that had
 * been used before ended before any byte of the response. It never repeats a POST.
 */
export interface Client {
  /** Begins a phase, to which all later requests belong. */
  enter(phase: Phase): void
  /** Requests that have ended, successfully or not. */
  completed(): number
  /** Requests that wait for their response. */
  inFlight(method: Method): number
  /** Requests that were sent, with or without a response. */
  sent(method: Method): number
  /** Settles when this many requests have ended, or the client has. */
  untilCompleted(count: number): Promise<void>
  /** Sends no more requests; settles when the last response has arrived. */
  stop(): Promise<Tally>
}

/** Options of the client. */
export interface ClientOptions {
  port: number
  isTls?: boolean
  /** Number of connections by method; each sends only this method. */
  connections: Partial<Record<Method, number>>
  /** Time after which the client ends by itself. */
  seconds: number
  /** Pause between a response and the next request; default: none. */
  pauseMs?: number
}

/** Pause after a refused connection, so that a closed port does not get thousands of attempts per second. */
const refusedPauseMs = 10
const pollMs = 10

/** Starts the load; it ends after `seconds` or with `stop`. */
export function startClient({ port, isTls = false, connections, seconds, pauseMs = 0 }: ClientOptions): Client {
  const tally = emptyTally()
  const open: Record<Method, number> = { GET: 0, POST: 0 }
  const sent: Record<Method, number> = { GET: 0, POST: 0 }
  const deadline = performance.now() + seconds * 1000
  let phase: Phase = 'before'
  let isStopped = false
  const isOver = () => isStopped || performance.now() >= deadline

  async function sendRepeatedly(method: Method): Promise<void> {
    let connection: Connection | undefined
    while (!isOver()) {
      const startedIn = phase
      const startedAt = performance.now()
      open[method]++
      sent[method]++
      const result = await sendWithRetry(connection, method)
      open[method]--
      connection = result.connection
      const failure = failureOf(result.outcome, method)
      tally.requests[method]++
      if (failure) addFailures(tally, { method, kind: failure, count: 1 })
      else tally.latencies[startedIn].push(performance.now() - startedAt)
      if (failure === 'refused') await pause(refusedPauseMs)
      else if (pauseMs > 0) await pause(pauseMs)
    }
    connection?.close()
  }

  async function sendWithRetry(used: Connection | undefined, method: Method): Promise<Result> {
    const first = await sendOver(used ?? openConnection(port, isTls), method)
    const mayRetry = first.outcome.kind === 'reset' && used !== undefined && method === 'GET'
    if (!mayRetry) return first
    tally.retried++
    return sendOver(openConnection(port, isTls), method)
  }

  const all = Object.entries(connections).flatMap(([method, count]) =>
    Array.from({ length: count }, () => sendRepeatedly(method as Method)),
  )
  return {
    enter(next) {
      phase = next
    },
    completed: () => tally.requests.GET + tally.requests.POST,
    inFlight: method => open[method],
    sent: method => sent[method],
    async untilCompleted(count) {
      while (tally.requests.GET + tally.requests.POST < count && !isOver()) await pause(pollMs)
    },
    async stop() {
      isStopped = true
      await Promise.all(all)
      return tally
    },
  }
}

interface Result {
  outcome: Outcome
  /** The connection, if it can be used again. */
  connection: Connection | undefined
}

async function sendOver(connection: Connection, method: Method): Promise<Result> {
  const outcome = await connection.send(method)
  return { outcome, connection: outcome.kind === 'complete' && !outcome.closes ? connection : undefined }
}

function failureOf(outcome: Outcome, method: Method): string | undefined {
  if (outcome.kind !== 'complete') return outcome.kind
  if (outcome.status !== 200) return String(outcome.status)
  return outcome.body === expectedBody[method] ? undefined : 'wrong answer'
}
