import { systemClock } from '../base/clock.ts'
import type { AppConfig } from '../config/app.ts'
import { type Exit, exitCodeOf } from '../domain/exit.ts'
import { failuresWithin } from '../domain/failures.ts'
import type { Parts } from './parts.ts'

const anyFailure = { failures: 1, within: 1000 }

/**
 * Counts the failures of a program; `policy` gives its keys of now. The answer is whether the failure of now ends the run,
 * which is then asked to stop with its code.
 */
export function createFailureLimit(
  parts: Parts,
  policy: () => Pick<AppConfig, 'on_failure' | 'exit_after'> | undefined,
): (exit: Exit) => boolean {
  let recent: number[] = []
  return exit => {
    const keys = policy()
    if (keys?.on_failure !== 'exit' || parts.world.isDevelopment) return false
    const { failures, within } = keys.exit_after ?? anyFailure
    recent = failuresWithin(within, [...recent, systemClock.monotonic()])
    if (recent.length < failures) return false
    parts.requestStop({ mode: 'graceful', code: exitCodeOf(exit) })
    return true
  }
}
