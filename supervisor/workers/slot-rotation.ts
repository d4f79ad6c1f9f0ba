import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { SlotAddress } from './slot-address.ts'

/** Rotation state of a slot: whether nginx uses it, and its redirect while nginx does not. */
export interface SlotRotation {
  isIn(): boolean
  /** Adds the slot, because its worker is ready: ends the redirect, and updates nginx if the slot was out. */
  enter(): void
  /** Removes the slot without an update of nginx. */
  leave(): void
  /** Removes the slot and updates nginx. Then the queue closes, and nginx retries its requests elsewhere or responds itself. */
  withdraw(): void
  /** Redirects requests for the slot to another while it is out. */
  redirectTo(other: WorkerAddress): void
}

/** Dependencies of a slot's rotation state. */
export interface SlotRotationDeps {
  address: SlotAddress
  log: Log
  /** Updates nginx's list. Resolves when the change is in effect. */
  onRotation: () => Promise<void>
}

/** Rotation state of a slot that is out. `name` is as in `app.1`. */
export function createSlotRotation({ address, log, onRotation }: SlotRotationDeps, name: string): SlotRotation {
  let isIn = false

  function endRedirect(): void {
    try {
      address.endRedirect()
    } catch (error) {
      log.error('cannot route requests back to a worker', {
        worker: name,
        reason: messageOf(error),
        fix: 'free space in run_dir',
      })
    }
  }

  return {
    isIn: () => isIn,
    enter() {
      endRedirect()
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
