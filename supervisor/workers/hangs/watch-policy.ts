/** State of a watch for signs of life. Times in ms on the monotonic clock. */
export interface Watch {
  /** Time of the last sign, plus the time in which the supervisor itself was suspended. */
  lastSignAt: number
  lastLookAt: number
}

/** Maximum time between two checks, and between two heartbeats. */
const longestPauseMs = 10_000

/** Interval of checks and heartbeats, in ms: several fit into the timeout. */
export function watchEveryMs(timeoutMs: number): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs / 3), longestPauseMs))
}

/**
 * Watch after one check, and the time without a sign, in ms, if it exceeds the timeout. A pause far longer than planned means
 * that the supervisor was suspended (SIGSTOP, a paused container); that time does not count.
 */
export function lookAt(watch: Watch, now: number, timeoutMs: number): { watch: Watch; silentMs: number | undefined } {
  const planned = watchEveryMs(timeoutMs)
  const paused = now - watch.lastLookAt
  const missed = paused > 1.5 * planned ? paused - planned : 0
  const lastSignAt = Math.min(now, watch.lastSignAt + missed)
  const silentMs = now - lastSignAt
  return { watch: { lastSignAt, lastLookAt: now }, silentMs: silentMs > timeoutMs ? silentMs : undefined }
}
