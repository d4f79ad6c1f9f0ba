import type { Clock } from '../base/clock.ts'
import type { Child } from './child.ts'
import { type ManagedProcess, manageProcess } from './managed-process.ts'

/** Dependencies of `manageTask`. */
export interface TaskDeps {
  child: Child
  clock: Clock
  /** Maximum run time. */
  timeoutMs: number
  /** Time from TERM to KILL after a timeout, or after a stop that specifies no other. */
  graceMs: number
}

/** Child that runs to completion; its process group ends with it. It never becomes ready, so the cause of a timeout is `boot timeout`. */
export function manageTask({ child, clock, timeoutMs, graceMs }: TaskDeps): ManagedProcess {
  const policy = { stopSignal: 'SIGTERM', bootTimeoutMs: timeoutMs, graceMs, endsGroup: true } as const
  return manageProcess({ child, clock, policy, onReady: () => {} })
}
