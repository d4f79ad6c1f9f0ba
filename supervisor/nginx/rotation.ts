import { backoffMs } from '../base/backoff.ts'
import { reasonOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'

const backoff = { initialMs: 500, maxMs: 30_000 }

/** Updates nginx after changes of the workers, one update at a time. Changes during an update share the next one. */
export interface Rotation {
  /** Settles when nginx has the present state, or when the update has failed, which is logged and retried. Never rejects. */
  changed: () => Promise<void>
}

/** Rotation that runs `update` for each change. */
export function createRotation(update: () => Promise<void>, { clock, log }: Pick<Runtime, 'clock' | 'log'>): Rotation {
  let last = Promise.resolve()
  let waiting: Promise<void> | undefined
  let failures = 0
  let logged: string | undefined
  let cancelRetry = () => {}

  async function updateOnce(): Promise<void> {
    waiting = undefined
    cancelRetry()
    try {
      await update()
      failures = 0
      logged = undefined
    } catch (error) {
      report(reasonOf(error))
      failures++
      cancelRetry = clock.after(backoffMs(failures, backoff, 0), () => void changed())
    }
  }

  /** Logs a reason once, not for every retry. */
  function report(reason: string): void {
    if (reason !== logged) log.error('cannot update the workers in nginx', { error: reason })
    logged = reason
  }

  function changed(): Promise<void> {
    if (!waiting) {
      waiting = last.then(updateOnce)
      last = waiting
    }
    return waiting
  }

  return { changed }
}
