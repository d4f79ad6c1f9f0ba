import type { Clock } from '../base/clock.ts'
import { type Exit, exitCodeOf } from './exit.ts'
import { failuresWithin } from './failures.ts'

const anyFailure = { failures: 1, within: 1000 }

/** Keys of a program that say when its failures end the run. */
export interface FailurePolicy {
  on_failure: 'restart' | 'exit'
  /** Failures within so many ms; undefined: the first. */
  exit_after?: { failures: number; within: number } | undefined
}

/** Counter of one program's failures: whether the failure of now ends the run. `policy`: its keys of now. */
export type FailureLimits = (policy: () => FailurePolicy | undefined) => (exit: Exit) => boolean

export interface FailureLimitDeps {
  clock: Clock
  isDevelopment: boolean | undefined
  /** Stops the run with this code. */
  endRun(code: number): void
}

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
