import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Updates nginx after changes of the workers, one update at a time. Changes during an update share the next one. */
export interface Rotation {
  /** Settles when nginx has the present state, or when the update has failed, which is logged. */
  changed: () => Promise<void>
}

/** Rotation that runs `update` for each change. */
export function createRotation(update: () => Promise<void>, log: Log): Rotation {
  let last = Promise.resolve()
  let waiting: Promise<void> | undefined

  async function updateOnce(): Promise<void> {
    waiting = undefined
    try {
      await update()
    } catch (error) {
      log.error('cannot update the workers in nginx', { error: messageOf(error) })
    }
  }

  return {
    changed() {
      if (!waiting) {
        waiting = last.then(updateOnce)
        last = waiting
      }
      return waiting
    },
  }
}
