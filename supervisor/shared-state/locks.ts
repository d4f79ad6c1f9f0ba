import type { Clock } from '../base/clock.ts'
import type { SharedKeys } from './names.ts'
import { acquireScript, releaseScript, renewScript } from './scripts.ts'
import type { HeldLock, SharedState } from './state.ts'

/** Runs a script. */
export type Evaluate = (script: string, keys: readonly string[], values: readonly string[]) => Promise<unknown>

/** Dependencies of locks. */
export interface LocksDeps {
  clock: Clock
  evaluate: Evaluate
  keys: SharedKeys
  /** Holder, for those who look at the lock. */
  id: string
  /** Time in Redis after which a lock that is not renewed is free. */
  leaseMs: number
}

/**
 * Locks with a lease and a fencing token (docs/decisions/079-shared-state.md). Here the lease counts from before the request, and is over a tenth
 * earlier than in Redis, so that the holder stops first.
 */
export function createLocks({
  clock,
  evaluate,
  keys,
  id,
  leaseMs,
}: LocksDeps): Pick<SharedState, 'acquire' | 'withLock'> {
  function hold(name: string, token: string, begunMs: number): HeldLock {
    const key = keys.lock(name)
    const value = `${token} ${id}`
    const losing = new AbortController()
    let isOver = false
    let cancelEnd = () => {}
    let cancelRenewal = () => {}

    function end(): void {
      isOver = true
      cancelEnd()
      cancelRenewal()
    }

    function lose(reason: string): void {
      if (isOver) return
      end()
      losing.abort(new Error(`the lock ${name} is lost: ${reason}`))
    }

    /** Plans the next renewal and the end of a lease that was requested at this time. */
    function extend(sinceMs: number): void {
      const takenMs = clock.monotonic() - sinceMs
      cancelEnd()
      cancelEnd = clock.after(leaseMs * 0.9 - takenMs, () => lose('it could not be renewed in time'))
      cancelRenewal = clock.after(leaseMs / 3, renew)
    }

    function renew(): void {
      const sinceMs = clock.monotonic()
      evaluate(renewScript, [key], [value, String(leaseMs)]).then(
        reply => {
          if (isOver) return
          if (Number(reply) === 1) extend(sinceMs)
          else lose('its lease has ended')
        },
        () => {
          if (!isOver) cancelRenewal = clock.after(leaseMs / 10, renew)
        },
      )
    }

    extend(begunMs)
    return {
      name,
      token: Number(token),
      value,
      signal: losing.signal,
      async release() {
        end()
        await evaluate(releaseScript, [key], [value]).catch(() => {})
      },
    }
  }

  async function acquire(name: string): Promise<HeldLock | undefined> {
    const begunMs = clock.monotonic()
    const token = await evaluate(acquireScript, [keys.lock(name), keys.counter], [id, String(leaseMs)])
    return token === null ? undefined : hold(name, String(token), begunMs)
  }

  return {
    acquire,
    async withLock(name, work) {
      const lock = await acquire(name)
      if (!lock) return { hadLock: false }
      try {
        return { hadLock: true, result: await work(lock) }
      } finally {
        await lock.release()
      }
    },
  }
}
