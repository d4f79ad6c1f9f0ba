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
