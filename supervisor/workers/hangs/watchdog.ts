import type { Clock } from '../../base/clock.ts'
import { lookAt, watchEveryMs } from './watch-policy.ts'

/** Watchdog that calls `onSilence` once if no sign of life comes within the timeout. */
export interface Watchdog {
  sign(): void
  end(): void
}

/** Timeout and callback of a watchdog. */
export interface WatchdogOptions {
  clock: Clock
  timeoutMs: number
  onSilence: (silentMs: number) => void
}

/** Watchdog whose time runs from now on. */
export function startWatchdog({ clock, timeoutMs, onSilence }: WatchdogOptions): Watchdog {
  let watch = { lastSignAt: clock.monotonic(), lastLookAt: clock.monotonic() }
  let cancel = () => {}

  function look(): void {
    const seen = lookAt(watch, clock.monotonic(), timeoutMs)
    watch = seen.watch
    if (seen.silentMs === undefined) lookLater()
    else onSilence(seen.silentMs)
  }

  /** Schedules the next check, at the same moments for all workers: with many workers, wakeups are the main cost. */
  function lookLater(): void {
    const everyMs = watchEveryMs(timeoutMs)
    cancel = clock.after(everyMs - (clock.monotonic() % everyMs), look)
  }

  lookLater()
  return {
    sign() {
      watch = { ...watch, lastSignAt: clock.monotonic() }
    },
    end: () => cancel(),
  }
}
