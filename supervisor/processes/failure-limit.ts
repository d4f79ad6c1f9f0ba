import type { Clock } from '../base/clock.ts'
import { type Exit, exitCodeOf } from './exit.ts'
import { failuresWithin } from './failures.ts'

const anyFailure = { failures: 1, within: 1000 }

/** Keys of a program that determine when its failures end the run. */
export interface FailurePolicy {
  on_failure: 'restart' | 'exit'
  /** Number of failures within a period in ms; undefined: the first failure. */
  exit_after?: { failures: number; within: number } | undefined
}

/** Factory for a counter of one program's failures. The counter returns whether the present failure ends the run. `policy` returns the program's present keys. */
export type FailureLimits = (policy: () => FailurePolicy | undefined) => (exit: Exit) => boolean

/** Dependencies of `createFailureLimits`. */
export interface FailureLimitDeps {
  clock: Clock
  isDevelopment: boolean | undefined
  /** Stops the run with this code. */
  endRun(code: number): void
}

/** Failure limits for all programs of a run. */
export function createFailureLimits({ clock, isDevelopment, endRun }: FailureLimitDeps): FailureLimits {
  return policy => {
    let recent: number[] = []
    return exit => {
      const keys = policy()
      if (keys?.on_failure !== 'exit' || isDevelopment) return false
      const { failures, within } = keys.exit_after ?? anyFailure
      recent = failuresWithin(within, [...recent, clock.monotonic()])
      if (recent.length < failures) return false
      endRun(exitCodeOf(exit))
      return true
    }
  }
}
