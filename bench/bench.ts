import type { Amount, Fault } from './faults/fault.ts'
import type { Kill } from './killer.ts'
import type { Stack } from './stacks/stack.ts'
import type { Workspace } from './workspace.ts'

/** Context of every measure. */
export interface Bench {
  workspace: Workspace
  monohull: Stack
  script: Stack
  /** Monohull, and the other checkout if there is one. */
  builds: Stack[]
  /** PM2, supervisord and s6, as far as available here: stacks that supervise nginx as well. */
  peers: Stack[]
  /** Node's cluster module, Gunicorn and Watt, as far as available: stacks that supervise the app alone. */
  appPeers: Stack[]
  /** PM2, Node's cluster module and Gunicorn, as far as available: stacks that can replace their workers. */
  rollingPeers: Stack[]
  /** Caddy, if available. */
  fronts: Stack[]
  /** Number of interleaved rounds. */
  rounds: number
  /** Duration of each run under load. */
  seconds: number
  kills: readonly Kill[]
  faults: readonly Fault[]
  amount: Amount
  limits: Limits
  /** Number of times a certificate is replaced. */
  swaps: number
  /** Number of simulated replicas in `cluster`. */
  replicas: number
  /** Reports progress; not part of the result. */
  say: (text: string) => void
}

/** Sizes of the `limits` measure. */
export interface Limits {
  /** Workers of the wide instance. */
  wide: number
  /** Seconds for which the supervisor's CPU is measured at rest. */
  restSeconds: number
}

/** Measure that produces a section of Markdown. */
export interface Measure {
  name: string
  title: string
  run: (bench: Bench) => Promise<string>
}
