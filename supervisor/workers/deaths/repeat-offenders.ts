/** Times of the deaths that a request was in flight in, by method and path; the request seen least recently comes first. */
export type OffenderCounts = ReadonlyMap<string, readonly number[]>

/** Limits on what is counted and reported. */
export interface OffenderPolicy {
  /** Number of deaths per warning about a request: a warning at this number and at each multiple. */
  deaths: number
  /** Age from which a death no longer counts. */
  forgetAfterMs: number
  /** Maximum number of requests to remember; the one seen least recently is dropped. */
  remembered: number
}

/** Counts after a death, and the requests to warn about. */
export interface OffenderStep {
  counts: OffenderCounts
  suspects: { request: string; deaths: number }[]
}

/**
 * Counts after one more death and the requests (`POST /orders`) that were in flight in it. A suspect may be innocent: a path
 * that is requested all the time is in flight in every death.
 */
export function noteDeath(
  counts: OffenderCounts,
  { requests, at }: { requests: readonly string[]; at: number },
  policy: OffenderPolicy,
): OffenderStep {
  const next = new Map<string, readonly number[]>()
  for (const [request, times] of counts) {
    const recent = times.filter(time => time > at - policy.forgetAfterMs)
    if (recent.length > 0) next.set(request, recent)
  }
  const suspects: OffenderStep['suspects'] = []
  for (const request of new Set(requests)) {
    const times = [...(next.get(request) ?? []), at]
    next.delete(request)
    next.set(request, times)
    if (times.length % policy.deaths === 0) suspects.push({ request, deaths: times.length })
  }
  for (const request of [...next.keys()].slice(0, Math.max(0, next.size - policy.remembered))) next.delete(request)
  return { counts: next, suspects }
}
