import type { Exit } from './exit.ts'
import type { StopCause } from './process-state.ts'

/** Events of a run at which the operator's own command is run. */
export type HookEvent =
  | 'before_start'
  | 'worker_ready'
  | 'worker_exit'
  | 'before_reload'
  | 'after_reload'
  | 'before_stop'

/** The command for one event. */
export interface HookPlan {
  argv: readonly string[]
  directory: string
  env: Readonly<Record<string, string>>
  uid: number | undefined
  gid: number | undefined
  timeoutMs: number
}

export type HookPlans = Partial<Record<HookEvent, HookPlan>>

/** What a hook's command is told, beyond the event. */
export interface HookFacts {
  /** `app.1` */
  worker?: string
  /** Of the worker. */
  pid?: number
  /** Exit code of the worker, or the one that monohull will end with; 128 + n for a signal. */
  exitCode?: number
  /** Why the worker ended; see `endReason`. */
  reason?: string
}

/** Variables for a hook's command. */
export function hookEnv(event: HookEvent, { worker, pid, exitCode, reason }: HookFacts): Record<string, string> {
  return {
    MONOHULL_EVENT: event,
    ...(worker === undefined ? {} : { MONOHULL_WORKER: worker }),
    ...(pid === undefined ? {} : { MONOHULL_PID: String(pid) }),
    ...(exitCode === undefined ? {} : { MONOHULL_EXIT: String(exitCode) }),
    ...(reason === undefined ? {} : { MONOHULL_REASON: reason }),
  }
}

/** Why a worker ended, in a word or two for a program to read: why monohull ended it, else what became of it. */
export function endReason(cause: StopCause | undefined, exit: Exit): string {
  if (cause !== undefined) return cause
  return exit.kind === 'signal' && exit.isOutOfMemory ? 'out of memory' : 'died'
}
