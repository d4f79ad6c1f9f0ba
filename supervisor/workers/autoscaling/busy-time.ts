import type { Clock } from '../../base/clock.ts'
import { readBusySeconds } from './busy-counter.ts'

export interface BusyTimeDeps {
  clock: Clock
  app: string
  workers: () => number
  /** What nginx's counters say; undefined when it cannot be asked now. */
  read: () => Promise<string | undefined>
}

/** How busy workers are that do not tell it: the time that answers took, as a share of the time that they had. */
export interface BusyTime {
  /** From 0 to 1 since it was asked last; undefined the first time, or when nginx could not be asked. */
  load(): Promise<number | undefined>
}

export function createBusyTime({ clock, app, workers, read }: BusyTimeDeps): BusyTime {
  let last: { seconds: number; at: number } | undefined

  return {
    async load() {
      const text = await read()
      if (text === undefined) return undefined
      const before = last
      const now = { seconds: readBusySeconds(text, app), at: clock.monotonic() }
      last = now
      // a master that was started anew counts from zero
      if (!before || now.seconds < before.seconds || now.at <= before.at) return undefined
      const had = ((now.at - before.at) / 1000) * workers()
      return Math.min(1, (now.seconds - before.seconds) / had)
    },
  }
}
