import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { SlotAddress } from './slot-address.ts'

/** Whether nginx should know a slot, and where its address leads until then. */
export interface SlotRotation {
  isIn(): boolean
  /** A worker of its own is ready: requests come to it, and nginx is told when it did not know the slot. */
  enter(): void
  /** What nginx was told already, or need not be. */
  leave(): void
  /** nginx leaves it out; then what waits in its queue goes to another worker, or is answered by nginx. */
  withdraw(): void
  /** While it is out, requests for it go elsewhere. */
  redirectTo(other: WorkerAddress): void
}

export interface SlotRotationDeps {
  address: SlotAddress
  log: Log
  /** Settles when nginx knows of the change. */
  onRotation: () => Promise<void>
}

/** `name` as in `app.1`. */
export function createSlotRotation({ address, log, onRotation }: SlotRotationDeps, name: string): SlotRotation {
  let isIn = false

  function leadBack(): void {
    try {
      address.endRedirect()
    } catch (error) {
      log.error('cannot lead requests back to a worker', {
        worker: name,
        reason: messageOf(error),
        fix: 'make room in run_dir',
      })
    }
  }

  return {
    isIn: () => isIn,
    enter() {
      leadBack()
      if (isIn) return
      isIn = true
      void onRotation()
    },
    leave() {
      isIn = false
    },
    withdraw() {
      const dead = address.drop()
      isIn = false
      void onRotation().then(() => dead?.close())
    },
    redirectTo(other) {
      if (!isIn) address.redirectTo(other)
    },
  }
}
