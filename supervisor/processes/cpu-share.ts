/** CPU time of a process at one moment, and the share that was computed then. */
export interface CpuSample {
  /** Time on the monotonic clock. */
  at: number
  cpuSeconds: number
  cpu: number | undefined
}

/** Time between two samples below which the share would be coarse, and above which it would be old, in ms. */
const leastMs = 500
const mostMs = 120_000

/**
 * Sample of the moment with the CPUs in use since the sample before, or since the start if there is none or it is old. Soon after a sample,
 * that one counts.
 */
export function sampleCpu(
  before: CpuSample | undefined,
  now: Omit<CpuSample, 'cpu'>,
  uptimeSeconds: number | undefined,
): CpuSample {
  const sinceMs = before === undefined ? Number.POSITIVE_INFINITY : now.at - before.at
  if (before && sinceMs < leastMs) return before
  if (before && sinceMs <= mostMs)
    return { ...now, cpu: Math.max(0, now.cpuSeconds - before.cpuSeconds) / (sinceMs / 1000) }
  return { ...now, cpu: uptimeSeconds !== undefined && uptimeSeconds > 0 ? now.cpuSeconds / uptimeSeconds : undefined }
}
