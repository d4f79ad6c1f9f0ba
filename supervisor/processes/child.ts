import type { Runtime } from '../base/runtime.ts'
import type { ProgramEnv } from './environment.ts'
import type { Exit } from './exit.ts'

/** Running child and the process group that it leads. */
export interface Child {
  readonly pid: number
  /** Settles when the process itself has exited, even if others still hold its pipes. */
  readonly exited: Promise<Exit>
  /** Sends a signal to the process only. False if it has exited. */
  signal(signal: NodeJS.Signals): boolean
  /** Sends a signal to every process of the group. False if none is left. */
  signalGroup(signal: NodeJS.Signals): boolean
  /** Whether any process of the group is running; zombies do not count. */
  groupAlive(): boolean
  /** Last lines of its output, oldest first. */
  lastLines(): string[]
  /** Settles when its output has been read to the end, or after a moment if another process still holds the pipe. */
  outputEnded(): Promise<void>
  /** Calls `callback` for each `KEY=value` line that the process writes to its notify descriptor. */
  onNotify(callback: (word: string, value: string) => void): void
}

/** Description of a child to start. */
export interface SpawnSpec {
  /** Name in logs and records: `app.1`, `nginx`. */
  name: string
  argv: readonly string[]
  directory: string
  env: Readonly<ProgramEnv>
  uid: number | undefined
  gid: number | undefined
  /** Signal on which it stops gracefully, if that is not SIGTERM. */
  stopSignal?: NodeJS.Signals
  /** Descriptors of the supervisor that the child inherits as 3, 4, … */
  inherit: readonly number[]
  /** Whether accept(2) on descriptor 3 waits for a client, as in a program that did not ask for anything else. */
  isBlocking?: boolean
  /** relay: lines prefixed with their source; direct: the supervisor's own stdout and stderr; kept: only for `lastLines`. */
  output: 'relay' | 'direct' | 'kept'
  /** Receives the lines that are relayed, which are valid only during the call. Without a pipe for its output, it is not called. */
  onLines?: ((lines: Buffer) => void) | undefined
  /** Form of its lines on stderr, which are relayed even if its output is direct. */
  renderStderr?: ((lines: Buffer) => string) | undefined
  /** Whether the child gets a notify pipe, after the inherited descriptors. */
  notify: boolean
}

/** Start or end of a child. */
export type ChildChange =
  | { type: 'started'; name: string; pid: number; stopSignal?: NodeJS.Signals | undefined }
  | { type: 'ended'; name: string; pid: number }

/** Starts a child. Throws an OperatorError if the system refuses. */
export type Spawn = (spec: SpawnSpec) => Child

/** Runtime of a service that starts children. */
export interface ProcessRuntime extends Runtime {
  spawn: Spawn
}
