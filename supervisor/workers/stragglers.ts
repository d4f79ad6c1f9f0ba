import { backoffMs } from '../base/backoff.ts'
import { stopping } from '../base/roll-result.ts'
import type { Runtime } from '../base/runtime.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'
import type { Turns } from './turns.ts'

/** Slots that an abandoned roll has changed, which return to the plan in force, with retries while the system refuses to start a worker. */
export interface Stragglers {
  /** Replaces the worker of a slot with one of the plan in force. Settles after the first attempt; retries follow with backoff. */
  bringBack(slot: WorkerSlot): Promise<void>
  /** Cancels all retries, because another roll decides what the slots run. */
  forget(): void
}

/** Dependencies of `createStragglers`. */
export interface StragglersDeps extends Runtime {
  turns: Turns
  plan: () => WorkerPlan
}

/** Stragglers of one pool. */
export function createStragglers({ clock, log, random, turns, plan }: StragglersDeps): Stragglers {
  const pending = new Map<WorkerSlot, () => void>()

  async function tryBack(slot: WorkerSlot, tries: number): Promise<void> {
    const result = await slot.replace(plan())
    if (result.ok || result === stopping) return
    if (tries === 1)
      log.error('cannot return a worker to the old plan after an abandoned roll', {
        worker: slot.name,
        reason: result.reason,
      })
    const delayMs = backoffMs(tries, plan().backoff, random())
    pending.set(
      slot,
      clock.after(delayMs, () => void turns.shared(() => tryLater(slot, tries + 1))),
    )
  }

  async function tryLater(slot: WorkerSlot, tries: number): Promise<void> {
    if (pending.delete(slot)) await tryBack(slot, tries)
  }

  return {
    bringBack: slot => tryBack(slot, 1),
    forget() {
      for (const cancel of pending.values()) cancel()
      pending.clear()
    },
  }
}
