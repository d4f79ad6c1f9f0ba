import type { Clock } from '../base/clock.ts'
import type { Child } from './child.ts'
import { type ManagedProcess, manageProcess } from './managed-process.ts'

export interface TaskDeps {
  child: Child
  clock: Clock
  /** The time it has, from start to end. */
  timeoutMs: number
  /** From TERM to KILL, when that time is over or a stop gives no other. */
  graceMs: number
}

/** A child that runs to its end, which takes its process group along. It is never ready: out of time, its cause is `boot timeout`. */
export function manageTask({ child, clock, timeoutMs, graceMs }: TaskDeps): ManagedProcess {
  const policy = { stopSignal: 'SIGTERM', bootTimeoutMs: timeoutMs, graceMs, endsGroup: true } as const
  return manageProcess({ child, clock, policy, onReady: () => {} })
}
