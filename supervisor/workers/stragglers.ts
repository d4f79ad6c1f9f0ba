import { backoffMs } from '../base/backoff.ts'
import { stopping } from '../base/roll-result.ts'
import type { Runtime } from '../base/runtime.ts'
import type { WorkerPlan } from './plan.ts'
import type { Turns } from './turns.ts'
import type { WorkerSlot } from './worker-slot.ts'

/** Slots that an abandoned roll has changed, which return to the plan in force, with retries while the system refuses to start a worker. */
export interface Stragglers {
  /** Replaces the worker of a slot with one of the plan in force. Settles after the first attempt; retries follow with backoff. */
  bringBack(slot: WorkerSlot): Promise<void>
  /** Stops all retries while another roll decides what the slots run. */
  suspend(): void
  /** Goes on with the retries, because that roll was abandoned too. */
  resume(): void
  /** Ends all retries, because the slots run the plan in force or the pool ends. */
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
    if (result.ok || result === stopping) return void pending.delete(slot)
    if (tries === 1)
      log.error('cannot return a worker to the old plan after an abandoned roll', {
        worker: slot.name,
        reason: result.reason,
      })
    retryLater(slot, tries + 1)
  }

  function retryLater(slot: WorkerSlot, tries: number): void {
    pending.get(slot)?.()
    const delayMs = backoffMs(tries - 1, plan().backoff, random())
    pending.set(
      slot,
      clock.after(delayMs, () => void turns.shared(() => tryAgain(slot, tries))),
    )
  }

  async function tryAgain(slot: WorkerSlot, tries: number): Promise<void> {
    if (pending.has(slot)) await tryBack(slot, tries)
  }

  function suspend(): void {
    for (const cancel of pending.values()) cancel()
  }

  return {
    bringBack: slot => tryBack(slot, 1),
    suspend,
    resume() {
      for (const slot of pending.keys()) retryLater(slot, 2)
    },
    forget() {
      suspend()
      pending.clear()
    },
  }
}
