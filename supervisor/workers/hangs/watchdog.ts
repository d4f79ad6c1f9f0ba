import { type Clock, untilTick } from '../../base/clock.ts'
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

  /** Schedules the next check: at a tick, as for all workers, or earlier when the timeout is over. */
  function lookLater(): void {
    const leftMs = watch.lastSignAt + timeoutMs + 1 - clock.monotonic()
    cancel = clock.after(Math.min(untilTick(clock, watchEveryMs(timeoutMs)), leftMs), look)
  }

  lookLater()
  return {
    sign() {
      watch = { ...watch, lastSignAt: clock.monotonic() }
    },
    end: () => cancel(),
  }
}
