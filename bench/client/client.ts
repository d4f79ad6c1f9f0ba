import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, expectedBody, type Method, type Outcome, openConnection } from './connection.ts'
import { addFailures, emptyTally, type Phase, type Tally } from './tally.ts'

/**
 * A load of GETs and POSTs over keep-alive connections, each of which asks again as soon as it is answered. It does what
 * RFC 9112 §9.3.1 lets clients do, and browsers and proxies do: a GET whose connection ended before any byte of its
 * answer, where that connection had been used before, is sent once more over a new connection. A POST never is.
 */
export interface Client {
  /** What is asked from now on belongs to this phase. */
  enter(phase: Phase): void
  /** Requests that have ended, well or not. */
  completed(): number
  /** Requests that wait for their answer. */
  inFlight(method: Method): number
  /** Requests that were sent, answered or not. */
  asked(method: Method): number
  /** Settles when this many have ended, or the client has. */
  untilCompleted(count: number): Promise<void>
  /** Asks nothing any more; settles when the last answer is there. */
  stop(): Promise<Tally>
}

export interface ClientOptions {
  port: number
  isTls?: boolean
  /** Connections that send only this. */
  connections: Partial<Record<Method, number>>
  /** It ends by itself after this time. */
  seconds: number
  /** Between an answer and the next request; default: none. */
  pauseMs?: number
}

/** A port that refuses is not asked ten thousand times a second. */
const refusedPauseMs = 10
const pollMs = 10

export function startClient({ port, isTls = false, connections, seconds, pauseMs = 0 }: ClientOptions): Client {
  const tally = emptyTally()
  const open: Record<Method, number> = { GET: 0, POST: 0 }
  const asked: Record<Method, number> = { GET: 0, POST: 0 }
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
      asked[method]++
      const result = await askOnce(connection, method)
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

  async function askOnce(used: Connection | undefined, method: Method): Promise<Asked> {
    const first = await askOver(used ?? openConnection(port, isTls), method)
    const mayRetry = first.outcome.kind === 'reset' && used !== undefined && method === 'GET'
    if (!mayRetry) return first
    tally.retried++
    return askOver(openConnection(port, isTls), method)
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
    asked: method => asked[method],
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

interface Asked {
  outcome: Outcome
  /** The connection, where it may be used again. */
  connection: Connection | undefined
}

async function askOver(connection: Connection, method: Method): Promise<Asked> {
  const outcome = await connection.ask(method)
  return { outcome, connection: outcome.kind === 'answered' && !outcome.closes ? connection : undefined }
}

function failureOf(outcome: Outcome, method: Method): string | undefined {
  if (outcome.kind !== 'answered') return outcome.kind
  if (outcome.status !== 200) return String(outcome.status)
  return outcome.body === expectedBody[method] ? undefined : 'wrong answer'
}
