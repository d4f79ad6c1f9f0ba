import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Tells nginx which workers there are, one change at a time; changes that come meanwhile are told together. */
export interface Rotation {
  /** Settles when nginx knows the state of now, or could not be told (which is logged). */
  changed: () => Promise<void>
}

export function createRotation(tell: () => Promise<void>, log: Log): Rotation {
  let last = Promise.resolve()
  let waiting: Promise<void> | undefined

  async function tellOnce(): Promise<void> {
    waiting = undefined
    try {
      await tell()
    } catch (error) {
      log.error('cannot tell nginx which workers there are', { error: messageOf(error) })
    }
  }

  return {
    changed() {
      if (!waiting) {
        waiting = last.then(tellOnce)
        last = waiting
      }
      return waiting
    },
  }
}
