import type { Runtime } from '../base/runtime.ts'
import type { Exit } from './exit.ts'

/** A running child and its process group (its own, led by it). */
export interface Child {
  readonly pid: number
  /** Settles when the process itself is gone, whoever still holds its pipes. */
  readonly exited: Promise<Exit>
  /** Sends to the process alone. False when it is gone. */
  signal(signal: NodeJS.Signals): boolean
  /** Sends to every process of the group. False when none is left. */
  signalGroup(signal: NodeJS.Signals): boolean
  /** Whether any process of the group is still there (zombies do not count). */
  groupAlive(): boolean
  /** The last lines it printed, oldest first. */
  lastLines(): string[]
  /** Settles when its output was read to the end, or after a moment when somebody still holds it. */
  outputEnded(): Promise<void>
  /** Calls back for each `KEY=value` line that the process writes to its notify descriptor. */
  onNotify(callback: (word: string, value: string) => void): void
}

export interface SpawnSpec {
  /** Name in logs and records: `app.1`, `nginx`. */
  name: string
  argv: readonly string[]
  directory: string
  env: Readonly<Record<string, string>>
  uid: number | undefined
  gid: number | undefined
  /** Descriptors of the supervisor that the child gets as 3, 4, … */
  inherit: readonly number[]
  /** relay: lines with a source in front of them; direct: the supervisor's own stdout and stderr. */
  output: 'relay' | 'direct'
  /** Whether the child gets a notify pipe, after the inherited descriptors. */
  notify: boolean
}

/** Starts a child; throws an OperatorError when the system refuses. */
export type Spawn = (spec: SpawnSpec) => Child

/** `Runtime` for what starts children. */
export interface ProcessRuntime extends Runtime {
  spawn: Spawn
}
