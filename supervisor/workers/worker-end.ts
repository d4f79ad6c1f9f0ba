import { exitCode, reasonOf } from '../base/errors.ts'
import type { Exit } from '../processes/exit.ts'
import type { StopCause } from '../processes/process-state.ts'
import type { Blame } from '../processes/slot-state.ts'

/** Record of a worker's end. */
export interface WorkerEnd {
  pid: number
  exit: Exit
  wasReady: boolean
  /** Whether monohull asked it to stop. */
  wasRequested: boolean
  /** Monohull's reason for ending it; undefined if it ended by itself. */
  cause: StopCause | undefined
  /** Time in ms since the Unix epoch. */
  startedAt: number
  uptimeMs: number
  /** Time since it was ready, in ms; 0 if it never was. */
  servedMs: number
  blame: Blame
  lastLines: string[]
  /** Reason and fix, if the exit does not say enough. */
  reason: string | undefined
  /** JavaScript stack of a hang, innermost call first; empty if unknown. */
  stack: string[]
}

/** Record of a worker that the system refused to start. */
export type RefusedEnd = Omit<WorkerEnd, 'pid'> & { pid: undefined }

/** Record for a worker whose start threw `error`. */
export function refusedEnd(error: unknown): RefusedEnd {
  return {
    pid: undefined,
    exit: { kind: 'code', code: exitCode.software },
    wasReady: false,
    wasRequested: false,
    cause: undefined,
    startedAt: 0,
    uptimeMs: 0,
    servedMs: 0,
    blame: 'worker',
    lastLines: [],
    reason: reasonOf(error),
    stack: [],
  }
}
