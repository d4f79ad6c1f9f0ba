/** Mean load of all workers at one moment. */
export interface LoadSample {
  /** Time on the monotonic clock. */
  at: number
  /** From 0 to 1. */
  load: number
}

/** Limits on the number of workers of an app that is scaled by load. */
export interface WorkerLimits {
  min: number
  max: number
}

/** Thresholds of the load, and the times for which they must be exceeded. */
export interface ScalePolicy extends WorkerLimits {
  /** Load that more workers should bring about. */
  target: number
  /** Mean load over `upAfterMs` above which workers are added. */
  high: number
  upAfterMs: number
  /** Load, calculated for one worker fewer, below which every sample of `downAfterMs` must stay for a worker to be removed. */
  low: number
  downAfterMs: number
}

/**
 * Number of workers to scale to, or undefined to keep the present number. `samples` are those since the number last changed,
 * oldest first. Scaling up adds as many workers as `target` requires, at most doubling the number; scaling down removes one.
 * Both need samples over their whole period, so each change is followed by a pause. Between `low` and `high` nothing changes.
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

/** The samples of the last `spanMs`; undefined if they cover less. */
function lastOf(samples: readonly LoadSample[], spanMs: number): readonly LoadSample[] | undefined {
  const from = (samples.at(-1)?.at ?? 0) - spanMs
  const [first] = samples
  return first && first.at <= from ? samples.filter(({ at }) => at >= from) : undefined
}
