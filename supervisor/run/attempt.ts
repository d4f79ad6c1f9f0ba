import { reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Does something for one part of a run, such as `stop nginx`. A failure is logged, and holds up none of the others. */
export type Attempt = (message: string, part: string, act: () => unknown) => Promise<void>

export function createAttempt(log: Log): Attempt {
  return async (message, part, act) => {
    try {
      await act()
    } catch (error) {
      log.error(message, { part, error: reasonOf(error) })
    }
  }
}
