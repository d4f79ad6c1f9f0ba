import type { ProgramEnv } from '../processes/environment.ts'

/** Events of a run that a hook can be set for. */
export type HookEvent =
  | 'before_start'
  | 'worker_ready'
  | 'worker_exit'
  | 'before_reload'
  | 'after_reload'
  | 'before_stop'

/** The command for one event. Times in ms. */
export interface HookPlan {
  argv: readonly string[]
  directory: string
  env: Readonly<ProgramEnv>
  uid: number | undefined
  gid: number | undefined
  timeoutMs: number
}

/** The configured hooks; events without a hook are absent. */
export type HookPlans = Partial<Record<HookEvent, HookPlan>>

/** Facts that a hook's command gets beside the event. */
export interface HookFacts {
  /** `app.1` */
  worker?: string
  /** Pid of the worker. */
  pid?: number
  /** Exit code of the worker, or the one that monohull will exit with; 128 + n for a signal. */
  exitCode?: number
  /** Reason for the worker's end; see `endReason`. */
  reason?: string
}

/** Environment variables of a hook's command. Unknown facts are left out. */
export function hookEnv(event: HookEvent, { worker, pid, exitCode, reason }: HookFacts): Record<string, string> {
  return {
    MONOHULL_EVENT: event,
    ...(worker === undefined ? {} : { MONOHULL_WORKER: worker }),
    ...(pid === undefined ? {} : { MONOHULL_PID: String(pid) }),
    ...(exitCode === undefined ? {} : { MONOHULL_EXIT: String(exitCode) }),
    ...(reason === undefined ? {} : { MONOHULL_REASON: reason }),
  }
}
