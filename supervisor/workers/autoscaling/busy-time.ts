import type { Clock } from '../../base/clock.ts'
import { readBusySeconds } from './busy-counter.ts'

/** Dependencies of the busy time of an app. */
export interface BusyTimeDeps {
  clock: Clock
  app: string
  workers: () => number
  /** Reads nginx's counters; undefined if nginx is unavailable. */
  read: () => Promise<string | undefined>
}

/** Load of workers that do not report it: the share of time in which they processed requests. */
export interface BusyTime {
  /** Load since the last call, from 0 to 1; undefined on the first call, or if nginx is unavailable. */
  load(): Promise<number | undefined>
}

/** Busy time of one app, from nginx's counters. */
export function createBusyTime({ clock, app, workers, read }: BusyTimeDeps): BusyTime {
  let last: { seconds: number; at: number } | undefined

  return {
    async load() {
      const text = await read()
      if (text === undefined) return undefined
      const before = last
      const now = { seconds: readBusySeconds(text, app), at: clock.monotonic() }
      last = now
      // a restarted master counts from zero
      if (!before || now.seconds < before.seconds || now.at <= before.at) return undefined
      const available = ((now.at - before.at) / 1000) * workers()
      return Math.min(1, (now.seconds - before.seconds) / available)
    },
  }
}
