import type { Clock } from '../base/clock.ts'
import type { RollResult } from '../base/roll-result.ts'
import { type Attempt, createAttempt } from './attempt.ts'
import type { WorkerPlan } from './plan.ts'

/** The plan that workers of a slot are started by, and the attempt at another one. */
export interface SlotPlan {
  current(): WorkerPlan
  /** The one under way. */
  attempt(): Attempt | undefined
  /** `next` counts from now on, until it is taken back. */
  propose(next: WorkerPlan, trialMs: number): Attempt
  /** Ends the attempt; what came of it decides which plan stays. */
  settle(): RollResult
  /** Ends the attempt: the plan before it counts again. */
  takeBack(): void
}

export function createSlotPlan(clock: Clock, initial: WorkerPlan): SlotPlan {
  let current = initial
  let previous = initial
  let attempt: Attempt | undefined

  function takeBack(): void {
    attempt = undefined
    current = previous
  }

  return {
    current: () => current,
    attempt: () => attempt,
    propose(next, trialMs) {
      previous = current
      current = next
      attempt = createAttempt(clock, trialMs)
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
