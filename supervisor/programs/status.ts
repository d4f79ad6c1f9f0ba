import type { RestartCounts } from '../processes/last-death.ts'
import type { SlotState } from '../processes/slot-state.ts'
import type { ProcessUsage } from '../processes/usage.ts'

/** One background process in `monohull status`. */
export interface ProcessStatus extends RestartCounts {
  /** `queue.1` */
  name: string
  /** finished: it ended, and `restart` says to leave it at that. */
  state: SlotState['name'] | 'running' | 'finished'
  pid: number | undefined
  uptimeSeconds: number | undefined
  /** Undefined unless the status was asked for a moment ago. */
  usage?: ProcessUsage | undefined
}
