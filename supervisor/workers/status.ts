import type { SlotState } from '../processes/slot-state.ts'

/** One worker as `monohull status` shows it. */
export interface WorkerStatus {
  /** `app.1` */
  name: string
  slot: number
  state: SlotState['name']
  pid: number | undefined
  /** Since the serving process was started. */
  uptimeSeconds: number | undefined
  restarts: number
  isInRotation: boolean
}
