/** Watches for signs of life. Times in milliseconds, on the monotonic clock. */
export interface Watch {
  /** Of the last sign, moved on by what the watcher itself slept through. */
  lastSignAt: number
  lastLookAt: number
}

/** Longest time between two looks, and between two heartbeats. */
const longestPauseMs = 10_000

/** How often to look, and a worker to give a sign, so that several fit into the timeout. */
export function watchEveryMs(timeoutMs: number): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs / 4), longestPauseMs))
}

/**
 * One look. A pause far longer than planned means that the watcher stood still (SIGSTOP, a paused container): nobody is
 * blamed for that time. `silentMs` is given once it is beyond the timeout.
 */
export function lookAt(watch: Watch, now: number, timeoutMs: number): { watch: Watch; silentMs: number | undefined } {
  const planned = watchEveryMs(timeoutMs)
  const paused = now - watch.lastLookAt
  const missed = paused > 2 * planned ? paused - planned : 0
  const lastSignAt = Math.min(now, watch.lastSignAt + missed)
  const silentMs = now - lastSignAt
  return { watch: { lastSignAt, lastLookAt: now }, silentMs: silentMs > timeoutMs ? silentMs : undefined }
}
