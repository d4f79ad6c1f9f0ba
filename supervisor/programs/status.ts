import type { RestartCounts } from '../processes/last-death.ts'
import type { SlotState } from '../processes/slot-state.ts'
import type { ProcessUsage } from '../processes/usage.ts'
import type { HealthStatus } from './instance-watch.ts'

/** One background process in `monohull status`. */
export interface ProcessStatus extends RestartCounts {
  /** `queue.1` */
  name: string
  /** finished: it ended well, and `restart` says to leave it at that; failed: it ended otherwise, and the same applies; pending: it has not started yet, because of `after`. */
  state: SlotState['name'] | 'running' | 'finished' | 'failed' | 'pending'
  /** Processes and apps that a pending one waits for. */
  waitsFor?: string[] | undefined
  /** Undefined without health checks, and before they begin. */
  health?: HealthStatus | undefined
  /** Failed health checks since startup; undefined without health checks. */
  failedChecks?: number | undefined
  pid: number | undefined
  uptimeSeconds: number | undefined
  /** Undefined unless the status was asked for a moment ago. */
  usage?: ProcessUsage | undefined
}
