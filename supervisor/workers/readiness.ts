import { type Clock, pause } from '../base/clock.ts'
import type { Child } from '../processes/child.ts'
import type { WorkerAddress } from './address.ts'

/** Asks whether a worker answers. */
export interface WorkerProbe {
  /** Whether an HTTP server answered `OPTIONS *` at the address before the deadline. */
  responds(address: WorkerAddress, timeoutMs: number): Promise<boolean>
  /** Whether a GET of the path was responded, with whatever status. */
  respondsToGet(address: WorkerAddress, path: string, timeoutMs: number): Promise<boolean>
}

const firstPauseMs = 10
const longestPauseMs = 200
const responseTimeoutMs = 5000
/** A worker that notifies has said something by then, and is not asked. */
const notifyHeadStartMs = 250

export interface ReadinessOptions {
  child: Child
  probe: WorkerProbe
  clock: Clock
  address: WorkerAddress
  /** Whether only this worker can answer at the address: no older one holds the same socket. */
  isExclusive: boolean
}

export interface Readiness {
  ready: Promise<'notified' | 'responded'>
  cancel(): void
}

/**
 * A worker is ready when it says so on its notify descriptor (the Node preload does), or when a server answers on its
 * socket. The question is `OPTIONS *`, which RFC 9110 (9.3.7) calls a no-op. Where an older worker shares the socket, an
 * answer proves nothing, and only the notification counts.
 */
export function waitUntilReady({ child, probe, clock, address, isExclusive }: ReadinessOptions): Readiness {
  let isCancelled = false
  const ready = new Promise<'notified' | 'responded'>(resolve => {
    child.onNotify((word, value) => {
      isCancelled = true
      if (word === 'READY' && value === '1') resolve('notified')
    })
    void ask().then(responded => {
      if (responded) resolve('responded')
    })
  })

  async function ask(): Promise<boolean> {
    await pause(clock, notifyHeadStartMs)
    for (let pauseMs = firstPauseMs; !isCancelled; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      if (isExclusive && (await probe.responds(address, responseTimeoutMs))) return true
      await pause(clock, pauseMs)
    }
    return false
  }

  return {
    ready,
    cancel() {
      isCancelled = true
    },
  }
}
