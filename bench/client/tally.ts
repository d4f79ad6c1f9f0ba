import type { Method } from './connection.ts'

export const phases = ['before', 'during', 'after'] as const
export type Phase = (typeof phases)[number]

/** What a client has counted. Every request is in `requests` once, however it ended. */
export interface Tally {
  requests: Record<Method, number>
  /** GETs that were sent a second time. */
  retried: number
  /** Failed requests, by what the client saw. */
  failures: Record<Method, Record<string, number>>
  /** Of the good answers, in ms, by the phase in which they were asked. */
  latencies: Record<Phase, number[]>
}

export function emptyTally(): Tally {
  return {
    requests: { GET: 0, POST: 0 },
    retried: 0,
    failures: { GET: {}, POST: {} },
    latencies: { before: [], during: [], after: [] },
  }
}

/** Adds one to another. */
export function addTally(total: Tally, more: Tally): void {
  total.retried += more.retried
  for (const method of ['GET', 'POST'] as const) {
    total.requests[method] += more.requests[method]
    for (const [kind, count] of Object.entries(more.failures[method])) addFailures(total, { method, kind, count })
  }
  for (const phase of phases) for (const latency of more.latencies[phase]) total.latencies[phase].push(latency)
}

export function addFailures(tally: Tally, failed: { method: Method; kind: string; count: number }): void {
  const kinds = tally.failures[failed.method]
  kinds[failed.kind] = (kinds[failed.kind] ?? 0) + failed.count
}

/** Of one method; all kinds together. */
export function countFailures(tally: Tally, method: Method): number {
  return Object.values(tally.failures[method]).reduce((sum, count) => sum + count, 0)
}

/** The least value that `share` of them do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
