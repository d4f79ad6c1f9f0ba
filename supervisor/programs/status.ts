import type { SlotState } from '../processes/slot-state.ts'

/** One process without a socket as `monohull status` shows it. */
export interface ProcessStatus {
  /** `queue.1` */
  name: string
  state: SlotState['name'] | 'running'
  pid: number | undefined
  uptimeSeconds: number | undefined
  restarts: number
}
