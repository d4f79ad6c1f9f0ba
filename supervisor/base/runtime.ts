import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** What a service needs of the world to tell the time, log, and take chances. */
export interface Runtime {
  clock: Clock
  log: Log
  /** From 0 up to 1. */
  random: () => number
}
