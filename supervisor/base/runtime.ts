import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** Clock, log and randomness of a service. */
export interface Runtime {
  clock: Clock
  log: Log
  /** A number from 0 up to, but not including, 1. */
  random: () => number
}
