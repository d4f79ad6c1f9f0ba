/** How busy the workers were at a moment: from 0 to 1, the mean of all. */
export interface LoadSample {
  /** On the monotonic clock. */
  at: number
  load: number
}

/** Between how many workers an app may scale. */
export interface WorkerLimits {
  min: number
  max: number
}

export interface ScalePolicy extends WorkerLimits {
  /** The load that is aimed at. */
  target: number
  /** A mean above it, over `upAfterMs`, asks for more workers. */
  high: number
  upAfterMs: number
  /** Every sample of `downAfterMs` must stay below it, with one worker fewer, for that one to go. */
  low: number
  downAfterMs: number
}

/**
 * How many workers there should be, from the samples since their number last changed, oldest first; undefined to leave it.
 * Up at once by as many as the target takes, at most to the double; down one by one. Since both need samples of the present
 * number over the whole of their time, each change brings its own pause. Between `low` and `high` nothing changes.
 */
export function decideScale(samples: readonly LoadSample[], workers: number, policy: ScalePolicy): number | undefined {
  const within = (count: number) => Math.min(policy.max, Math.max(policy.min, count))
  if (within(workers) !== workers) return within(workers)
  const wanted = wantedAbove(samples, workers, policy) ?? (isIdle(samples, workers, policy) ? workers - 1 : workers)
  return within(wanted) === workers ? undefined : within(wanted)
}

function wantedAbove(samples: readonly LoadSample[], workers: number, policy: ScalePolicy): number | undefined {
  const recent = lastOf(samples, policy.upAfterMs)
  if (!recent) return undefined
  const mean = recent.reduce((sum, { load }) => sum + load, 0) / recent.length
  if (mean <= policy.high) return undefined
  return Math.min(workers * 2, Math.max(workers + 1, Math.ceil((workers * mean) / policy.target)))
}

function isIdle(samples: readonly LoadSample[], workers: number, policy: ScalePolicy): boolean {
  const recent = lastOf(samples, policy.downAfterMs)
  return (
    workers > 1 && recent !== undefined && recent.every(({ load }) => (load * workers) / (workers - 1) < policy.low)
  )
}

/** The samples of the last `spanMs`; undefined when they do not reach so far back. */
function lastOf(samples: readonly LoadSample[], spanMs: number): readonly LoadSample[] | undefined {
  const from = (samples.at(-1)?.at ?? 0) - spanMs
  const [first] = samples
  return first && first.at <= from ? samples.filter(({ at }) => at >= from) : undefined
}
