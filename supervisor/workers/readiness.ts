import { type Clock, pause } from '../base/clock.ts'
import type { Protocol } from '../nginx/protocol.ts'
import type { Spoken } from '../nginx/spoken.ts'
import type { Child } from '../processes/child.ts'
import type { WorkerAddress } from './address.ts'

/** Question about a worker's health: a GET of the path, or without one the probe of its protocol. */
export interface HealthQuestion {
  path: string | undefined
  protocol: Protocol | undefined
}

/** Probe of a worker. */
export interface WorkerProbe {
  /** Whether a server of the protocol, by default HTTP, responded at the address in time. */
  responds(address: WorkerAddress, timeoutMs: number, protocol?: Protocol): Promise<boolean>
  /** Whether it gave a sign of life in time, whatever its response says; true if this process lacks descriptors to ask. */
  respondsToGet(address: WorkerAddress, question: HealthQuestion, timeoutMs: number): Promise<boolean>
  /** Protocol that the server at the address speaks instead of this one, by default HTTP; undefined if it speaks that, or shows none. */
  spokenInstead?(address: WorkerAddress, protocol?: Protocol): Promise<Spoken | undefined>
}

const firstPauseMs = 10
const longestPauseMs = 200
const responseTimeoutMs = 5000
/** Time before the first probe. A worker that uses the notify descriptor has written to it by then and is not probed. */
const notifyHeadStartMs = 250
/** The same for the child of a wrapper, which has just been started, and for a Node program that has a port. */
const passedHeadStartMs = 1000
/** Time of probes after which a server that rejects them is asked what it speaks. */
const rejectingMs = 1000
const askAgainMs = 5000
/** Share of boot_timeout after which one that is silent is asked: before, it may not have begun to accept, and would get all questions later. */
const silentShare = 0.8

/** The worker to wait for. */
export interface ReadinessOptions {
  child: Child
  probe: WorkerProbe
  clock: Clock
  address: WorkerAddress
  protocol: Protocol | undefined
  bootTimeoutMs: number
  /** Called once if its server speaks another protocol. */
  onMismatch(spoken: Spoken): void
  /** Whether only this worker can respond at the address, because no older one has the same socket. */
  isExclusive: boolean
}

/** Wait for the readiness of a worker. */
export interface Readiness {
  ready: Promise<'notified' | 'responded'>
  cancel(): void
}

/**
 * Readiness of a worker: it writes `READY=1` to its notify descriptor, as the Node preload does, or a server responds on its
 * socket. The probe changes nothing: in HTTP, it is `OPTIONS *` (RFC 9110, 9.3.7). If an older worker shares the socket, a response proves nothing,
 * and only the notification counts. The Node preload notifies of the HTTP servers of Node. On a port, another server of a Node program
 * (net, a native one) is found by the probe.
 */
export function waitUntilReady(options: ReadinessOptions): Readiness {
  const { child, probe, clock, address, protocol, isExclusive, bootTimeoutMs } = options
  let isCancelled = false
  /** Number of the probing that counts. A worker that notifies is not probed. */
  let probing = 0
  let isPreloaded = false
  let mismatch: Spoken | undefined
  const ready = new Promise<'notified' | 'responded'>(resolve => {
    child.onNotify((key, value) => {
      const isBooting = key === 'STATUS' && value === 'booting'
      if (isBooting && address.kind === 'tcp') isPreloaded = true
      // the other lines of the preload say nothing about its server
      else if (isPreloaded && key !== 'STATUS' && key !== 'READY') return
      probing++
      if (key === 'READY' && value === '1') {
        isCancelled = true
        resolve('notified')
      }
      // the child of a wrapper may be a program that notifies nobody
      if ((isBooting && isPreloaded) || (key === 'STATUS' && value === 'passed on')) begin(passedHeadStartMs)
    })
    begin(notifyHeadStartMs)

    function begin(headStartMs: number): void {
      void probeUntilReady(probing, headStartMs).then(responded => {
        if (responded) resolve('responded')
      })
    }
  })

  async function probeUntilReady(own: number, headStartMs: number): Promise<boolean> {
    const isOver = () => isCancelled || probing !== own
    const begunAt = clock.monotonic()
    await pause(clock, headStartMs)
    let askedAt = Number.NEGATIVE_INFINITY
    for (let pauseMs = firstPauseMs; !isOver(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const from = clock.monotonic()
      if (isExclusive && (await probe.responds(address, responseTimeoutMs, protocol))) return true
      const now = clock.monotonic()
      const isSilent = now - from >= responseTimeoutMs / 2
      const isDue = now - begunAt >= (isSilent ? silentShare * bootTimeoutMs : rejectingMs)
      if (isExclusive && isDue && !isOver() && now - askedAt >= askAgainMs) {
        askedAt = now
        const spoken = await probe.spokenInstead?.(address, protocol)
        if (spoken !== undefined && !isOver()) noteMismatch(spoken)
      }
      await pause(clock, pauseMs)
    }
    return false
  }

  function noteMismatch(spoken: Spoken): void {
    if (spoken !== mismatch) options.onMismatch(spoken)
    mismatch = spoken
  }

  return {
    ready,
    cancel() {
      isCancelled = true
    },
  }
}
