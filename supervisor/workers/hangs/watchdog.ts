import type { Clock } from '../../base/clock.ts'
import { lookAt, watchEveryMs } from './watch-policy.ts'

/** Calls out once when the signs of life stay away for longer than the timeout. */
export interface Watchdog {
  sign(): void
  end(): void
}

export interface WatchdogOptions {
  clock: Clock
  timeoutMs: number
  onSilence: (silentMs: number) => void
}

export function startWatchdog({ clock, timeoutMs, onSilence }: WatchdogOptions): Watchdog {
  let watch = { lastSignAt: clock.monotonic(), lastLookAt: clock.monotonic() }
  let cancel = () => {}

  function look(): void {
    const seen = lookAt(watch, clock.monotonic(), timeoutMs)
    watch = seen.watch
    if (seen.silentMs === undefined) lookLater()
    else onSilence(seen.silentMs)
  }

  /** At the same moments for all workers: with many of them, it is the waking that costs. */
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
