/** Counts of requests so far, as far as history needs them. */
export interface RequestTotals {
  series: readonly RequestSeries[]
  active: number
}

/** Requests that have all of this in common, and the number of them in each bucket of their duration; slower ones are in none. */
export interface RequestSeries {
  app?: string | undefined
  upstream?: string | undefined
  route: string
  method: string
  status: number
  scheme: string
  host?: string | undefined
  count: number
  buckets: readonly number[]
}

/** What is measured at one moment. */
export interface Reading {
  /** On the monotonic clock, in ms. */
  at: number
  /** Undefined if requests are not counted. */
  requests: RequestTotals | undefined
  connections: number | undefined
  /** CPU time of the container so far, in seconds. */
  cpuSeconds: number | undefined
  /** Memory of the container, in bytes. */
  memory: number | undefined
}

/** Names of the values of a point, in the order in which history keeps them. */
export const measures = [
  'requests',
  'p50',
  'p95',
  'p99',
  'clientErrors',
  'serverErrors',
  'inFlight',
  'connections',
  'cpu',
  'memory',
] as const
export type Measure = (typeof measures)[number]

/**
 * Values between two readings: `requests` a second; `p50`, `p95` and `p99` in seconds; shares of 4xx and 5xx from 0 to 1; requests in
 * flight; connections; CPUs in use; memory in bytes. NaN: unknown.
 */
export type Point = Record<Measure, number>

/** Values between two readings. `bounds` are the upper bounds of the buckets, in seconds, without the last one, which has none. */
export function pointBetween(before: Reading, now: Reading, bounds: readonly number[]): Point {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000)
  const counted = countBetween(before.requests, now.requests)
  const buckets = counted && bounds.map((_, index) => counted.buckets[index] ?? 0)
  // those that were slower than the last bound are in no bucket
  const slower = counted && buckets && counted.count - buckets.reduce((one, other) => one + other, 0)
  const quantile = (share: number) =>
    buckets ? quantileOf([...buckets, Math.max(0, slower ?? 0)], bounds, share) : Number.NaN
  const shareOf = (count: number) => (counted && counted.count > 0 ? count / counted.count : counted ? 0 : Number.NaN)
  return {
    requests: counted ? counted.count / seconds : Number.NaN,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    clientErrors: shareOf(counted?.clientErrors ?? 0),
    serverErrors: shareOf(counted?.serverErrors ?? 0),
    inFlight: now.requests?.active ?? Number.NaN,
    connections: now.connections ?? Number.NaN,
    cpu: Math.max(0, ((now.cpuSeconds ?? Number.NaN) - (before.cpuSeconds ?? Number.NaN)) / seconds),
    memory: now.memory ?? Number.NaN,
  }
}

interface Counted {
  count: number
  clientErrors: number
  serverErrors: number
  buckets: number[]
}

/** Requests between two counts, series by series: some may be new, others removed, and nginx may have begun again from zero. */
function countBetween(before: RequestTotals | undefined, now: RequestTotals | undefined): Counted | undefined {
  if (!before || !now) return undefined
  const earlier = new Map(before.series.map(series => [keyOf(series), series]))
  const total: Counted = { count: 0, clientErrors: 0, serverErrors: 0, buckets: [] }
  for (const series of now.series) {
    const known = earlier.get(keyOf(series))
    const from = known && known.count <= series.count ? known : undefined
    const count = series.count - (from?.count ?? 0)
    if (count === 0) continue
    total.count += count
    if (series.status >= 500) total.serverErrors += count
    else if (series.status >= 400) total.clientErrors += count
    for (const [index, value] of series.buckets.entries())
      total.buckets[index] = (total.buckets[index] ?? 0) + Math.max(0, value - (from?.buckets[index] ?? 0))
  }
  return total
}

function keyOf({ app = '', upstream = '', route, method, status, scheme, host = '' }: RequestSeries): string {
  return `${app} ${upstream} ${route} ${method} ${status} ${scheme} ${host}`
}

/** Quantile of a histogram, linear within a bucket as in Prometheus; NaN if it is empty. */
export function quantileOf(buckets: readonly number[], bounds: readonly number[], share: number): number {
  const total = buckets.reduce((one, other) => one + other, 0)
  if (total === 0) return Number.NaN
  const rank = share * total
  let below = 0
  for (const [index, count] of buckets.entries()) {
    const [lower, upper] = [bounds[index - 1] ?? 0, bounds[index]]
    if (upper === undefined) return lower
    if (below + count >= rank && count > 0) return lower + ((upper - lower) * (rank - below)) / count
    below += count
  }
  return bounds.at(-1) ?? Number.NaN
}
