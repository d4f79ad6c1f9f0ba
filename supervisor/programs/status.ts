import type { SlotState } from '../processes/slot-state.ts'

/** One background process in `monohull status`. */
export interface ProcessStatus {
  /** `queue.1` */
  name: string
  state: SlotState['name'] | 'running'
  pid: number | undefined
  uptimeSeconds: number | undefined
  restarts: number
}
