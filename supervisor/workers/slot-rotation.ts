import type { WorkerAddress } from './address.ts'
import type { SlotAddress } from './slot-address.ts'

/** Rotation state of a slot: whether nginx uses it, and its redirect while nginx does not. */
export interface SlotRotation {
  isIn(): boolean
  /** Adds the slot, because its worker is ready, and updates nginx if the slot was out. */
  enter(): void
  /** Removes the slot without an update of nginx. */
  leave(): void
  /** Removes the slot and updates nginx, but keeps its queue: its worker does not accept for now. */
  suspend(): void
  /** Removes the slot and updates nginx. Then the queue closes, and nginx retries its requests elsewhere or responds itself. */
  withdraw(): void
  /** Redirects requests for the slot to another while it is out. Throws if the link cannot be changed. */
  redirectTo(other: WorkerAddress): void
}

/** Dependencies of a slot's rotation state. */
export interface SlotRotationDeps {
  address: SlotAddress
  /** Updates nginx's list. Resolves when the change is in effect, or when the update has failed. Never rejects. */
  onRotation: () => Promise<void>
}

/** Rotation state of a slot that is out. */
export function createSlotRotation({ address, onRotation }: SlotRotationDeps): SlotRotation {
  let isIn = false

  return {
    isIn: () => isIn,
    enter() {
      if (isIn) return
      isIn = true
      void onRotation()
    },
    leave() {
      isIn = false
    },
    suspend() {
      if (!isIn) return
      isIn = false
      void onRotation()
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
