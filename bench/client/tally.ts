import type { Method } from './connection.ts'

/** Phases of a load: before, during and after a fault. */
export const phases = ['before', 'during', 'after'] as const
export type Phase = (typeof phases)[number]

/** Counts of a client. Every request is counted once in `requests`, however it ended. */
export interface Tally {
  requests: Record<Method, number>
  /** GETs that were sent again. */
  retried: number
  /** Failed requests by kind of failure. */
  failures: Record<Method, Record<string, number>>
  /** Latencies of successful requests in ms, by the phase in which they were sent. */
  latencies: Record<Phase, number[]>
}

/** Tally without requests. */
export function emptyTally(): Tally {
  return {
    requests: { GET: 0, POST: 0 },
    retried: 0,
    failures: { GET: {}, POST: {} },
    latencies: { before: [], during: [], after: [] },
  }
}

/** Adds the counts of one tally to another. */
export function addTally(total: Tally, more: Tally): void {
  total.retried += more.retried
  for (const method of ['GET', 'POST'] as const) {
    total.requests[method] += more.requests[method]
    for (const [kind, count] of Object.entries(more.failures[method])) addFailures(total, { method, kind, count })
  }
  for (const phase of phases) for (const latency of more.latencies[phase]) total.latencies[phase].push(latency)
}

/** Adds failed requests of one kind. */
export function addFailures(tally: Tally, failed: { method: Method; kind: string; count: number }): void {
  const kinds = tally.failures[failed.method]
  kinds[failed.kind] = (kinds[failed.kind] ?? 0) + failed.count
}

/** Number of failed requests of one method. */
export function countFailures(tally: Tally, method: Method): number {
  return Object.values(tally.failures[method]).reduce((sum, count) => sum + count, 0)
}

/** Smallest value that a share of all values do not exceed; NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
