import type { Fault } from './killer.ts'
import type { Stack } from './stacks/stack.ts'
import type { Workplace } from './workplace.ts'

/** What every measure is given. */
export interface Bench {
  workplace: Workplace
  monohull: Stack
  script: Stack
  /** Those of PM2 and supervisord that can be had here. */
  peers: Stack[]
  /** Interleaved rounds. */
  rounds: number
  /** Length of each run under load. */
  seconds: number
  faults: readonly Fault[]
  /** Told to whoever waits; not part of the result. */
  say: (text: string) => void
}

/** One measure: a section of markdown. */
export interface Measure {
  name: string
  title: string
  run: (bench: Bench) => Promise<string>
}
