import type { Tally } from '../client/tally.ts'
import type { Ability, Stack } from '../stacks/stack.ts'

/** Reaction of the app to SIGTERM: none, server.close(), or a drain that loses no POST. */
export type Handler = 'none' | 'server.close()' | 'drains'

/** Stack with one of the apps. */
export interface Side {
  stack: Stack
  /** Undefined if the app does not run in Node. */
  handler?: Handler
}

/** Amounts of load and repetitions. */
export interface Amount {
  /** Minimum number of requests in each row. */
  requests: number
  /** Duration of a fault without an end of its own. */
  seconds: number
  /** Rolling restarts in a row. */
  restarts: number
}

/** Outcome of a fault. */
export interface Outcome {
  tally: Tally
  /** POSTs that were in flight when workers were killed. Only these may fail. */
  lostAtMost: number
  /** Requests that a stopping server did not accept: refused, or closed before any byte of a response. */
  turnedAway: number
  notes: string[]
  /** Missed expectations other than failed requests. */
  problems: string[]
}

/** Fault that is played under load. */
export interface Fault {
  name: string
  title: string
  /** Ability that the stack needs. */
  needs?: Ability
  /** Whether workers get SIGTERM, so that the app's reaction matters. */
  asksWorkersToEnd: boolean
  play(side: Side, amount: Amount): Promise<Outcome>
}
