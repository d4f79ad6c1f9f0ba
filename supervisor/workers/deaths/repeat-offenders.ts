/** How often which request was in flight when a worker died: by method and path, oldest sighting first. */
export type OffenderCounts = ReadonlyMap<string, readonly number[]>

export interface OffenderPolicy {
  /** Deaths that make a request worth a warning, and each further so many. */
  deaths: number
  forgetAfterMs: number
  /** Requests that are remembered; the one not seen for longest goes. */
  remembered: number
}

export interface OffenderStep {
  counts: OffenderCounts
  suspects: { request: string; deaths: number }[]
}

/**
 * Notes one death and the requests (`POST /orders`) that were in flight in it. Who is named a suspect may be innocent: a
 * path that is asked all the time is in flight in every death.
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
