/** Source of time and timers. Tests pass a clock that they advance themselves. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since an arbitrary point. Never goes back, even if the system time is set; for durations and deadlines. */
  monotonic(): number
  /** Runs `callback` once after `delayMs`. The returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

/** Interval of what a run looks at while it is at rest, in ms. */
export const restTickMs = 10_000

/** Grain of the ticks in ms: timers that are set in the same turn are due in the same one. */
const grainMs = 10

/**
 * Time until a tick in ms, from half of `everyMs` to one and a half: ticks are the multiples of `everyMs` on the monotonic clock. Timers for
 * ticks share their wake-ups, each of which costs more than its work while the process is at rest.
 */
export function untilTick(clock: Clock, everyMs: number): number {
  const now = clock.monotonic()
  const grain = Math.min(grainMs, everyMs)
  const left = everyMs - ((now - (now % grain)) % everyMs)
  return left > everyMs / 2 ? left : left + everyMs
}

/** Runs `task` on each tick; one that returns a promise is not run again before that has settled. Returns a function that ends it. */
export function onTicks(clock: Clock, everyMs: number, task: () => unknown): () => void {
  let isOver = false
  let cancel = () => {}
  function schedule(): void {
    if (!isOver) cancel = clock.after(untilTick(clock, everyMs), run)
  }
  function run(): void {
    const doing = task()
    if (doing instanceof Promise) void doing.finally(schedule)
    else schedule()
  }
  schedule()
  return () => {
    isOver = true
    cancel()
  }
}

/** Resolves after `delayMs`, or rejects with the signal's reason if it is aborted first. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    function abort(): void {
      cancel()
      reject(signal?.reason)
    }
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
