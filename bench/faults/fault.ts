import type { Tally } from '../client/tally.ts'
import type { Ability, Stack } from '../stacks/stack.ts'

/** What the app does when it is asked to end: nothing of its own, server.close(), or the drain that loses no POST. */
export type Handler = 'none' | 'server.close()' | 'drains'

/** A stack with one of the apps. */
export interface Side {
  stack: Stack
  /** Undefined where the app is not Node's. */
  handler?: Handler
}

/** How much of everything. */
export interface Amount {
  /** Of each row, at least. */
  requests: number
  /** Length of a fault that has no end of its own. */
  seconds: number
  /** Rolling restarts in a row. */
  restarts: number
}

/** What came of a fault. */
export interface Outcome {
  tally: Tally
  /** POSTs that were in flight when workers were killed: these may fail, and no others. */
  lostAtMost: number
  /** Requests that a server which had been told to stop did not take: refused, or closed before any byte of an answer. */
  turnedAway: number
  notes: string[]
  /** What went otherwise than it should, beside failed requests. */
  problems: string[]
}

export interface Fault {
  name: string
  title: string
  /** What a stack must be able to do. */
  needs?: Ability
  /** Workers are asked to end in it, so that it matters what the app does then. */
  asksWorkersToEnd: boolean
  play(side: Side, amount: Amount): Promise<Outcome>
}
