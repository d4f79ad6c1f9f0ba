import type { RestartCounts } from '../processes/last-death.ts'
import type { SlotState } from '../processes/slot-state.ts'
import type { ProcessUsage, WorkerLoad } from '../processes/usage.ts'

/** One worker in `monohull status`. */
export interface WorkerStatus extends RestartCounts {
  /** `app.1` */
  name: string
  slot: number
  /**
   * not accepting: the worker runs, but its HTTP server has closed; pending: it has not started yet, because of `after`; waking: it boots for
   * the first requests after sleep.
   */
  state: SlotState['name'] | 'not accepting' | 'pending' | 'waking'
  /** Processes and apps that a pending one waits for. */
  waitsFor?: string[] | undefined
  pid: number | undefined
  /** Uptime of the serving process. */
  uptimeSeconds: number | undefined
  isInRotation: boolean
  /** Undefined unless the status was asked for a moment ago. */
  usage?: ProcessUsage | undefined
  /** The same, and undefined if nginx does not count requests. */
  requests?: WorkerLoad | undefined
}
