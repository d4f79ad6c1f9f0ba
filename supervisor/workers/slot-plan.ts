import type { Clock } from '../base/clock.ts'
import type { RollResult } from '../base/roll-result.ts'
import { type Attempt, createAttempt, type Trial } from './attempt.ts'
import type { WorkerPlan } from './plan.ts'

/** Plan for the workers of a slot, and the attempt to change it. */
export interface SlotPlan {
  /** The plan for the next worker: the proposed one until the attempt fails. */
  current(): WorkerPlan
  /** The attempt in progress, if any. */
  attempt(): Attempt | undefined
  /** Begins an attempt to change to `next`. */
  propose(next: WorkerPlan, trial: Trial | undefined): Attempt
  /** Ends the attempt. Its result determines which plan stays. */
  settle(): RollResult
  /** Ends the attempt and returns to the plan before it. */
  takeBack(): void
}

/** Plan of a slot without an attempt. */
export function createSlotPlan(clock: Clock, initial: WorkerPlan): SlotPlan {
  let current = initial
  let previous = initial
  let attempt: Attempt | undefined

  function takeBack(): void {
    attempt = undefined
    current = previous
  }

  return {
    current: () => (attempt?.result()?.ok === false ? previous : current),
    attempt: () => attempt,
    propose(next, trial) {
      previous = current
      current = next
      attempt = createAttempt(clock, trial)
      return attempt
    },
    settle() {
      const result = attempt?.result() ?? { ok: true }
      if (!result.ok) takeBack()
      attempt = undefined
      return result
    },
    takeBack,
  }
}
