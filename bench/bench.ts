import type { Amount, Fault } from './faults/fault.ts'
import type { Kill } from './killer.ts'
import type { Stack } from './stacks/stack.ts'
import type { Workspace } from './workspace.ts'

/** What every measure is given. */
export interface Bench {
  workspace: Workspace
  monohull: Stack
  script: Stack
  /** Those of PM2 and supervisord that can be had here. */
  peers: Stack[]
  /** Those of PM2, Node's cluster module and Gunicorn: stacks that can replace their workers. */
  rollingPeers: Stack[]
  /** Caddy, when it can be had. */
  fronts: Stack[]
  /** Interleaved rounds. */
  rounds: number
  /** Length of each run under load. */
  seconds: number
  kills: readonly Kill[]
  faults: readonly Fault[]
  amount: Amount
  limits: Limits
  /** How often a certificate is exchanged. */
  swaps: number
  /** Told to whoever waits; not part of the result. */
  say: (text: string) => void
}

/** Sizes of the `limits` measure. */
export interface Limits {
  /** Workers of the wide instance. */
  wide: number
  /** For how long the supervisor's CPU is measured at rest. */
  restSeconds: number
}

/** One measure: a section of markdown. */
export interface Measure {
  name: string
  title: string
  run: (bench: Bench) => Promise<string>
}
