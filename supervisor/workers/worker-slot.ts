import type { RollResult } from '../base/roll-result.ts'
import type { WorkerAddress } from './address.ts'
import type { Trial } from './attempt.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerStatus } from './status.ts'
import type { Worker } from './worker.ts'

/** Slot of a pool: an entry in nginx's upstream, with one worker after the other. */
export interface WorkerSlot {
  readonly number: number
  readonly name: string
  start(): void
  /** Binds the socket before `start`, so that requests wait for the first worker. No effect with a port, at which none can wait. */
  listen(): void
  /** Redirects requests for this slot to another until a worker of this slot is ready. Throws if the link cannot be changed. */
  redirectTo(other: WorkerAddress): void
  /** Points the address to the slot's own worker. Throws if the link cannot be changed. */
  endRedirect(): void
  /**
   * Starts a worker of `plan` beside the present one. Resolves when it has passed its trial, or is ready without one, or has failed and
   * the old state is restored. After a success, call `accept` or `refuse`.
   */
  prepare(plan: WorkerPlan, trial?: Trial): Promise<RollResult>
  /** Lets the prepared worker take over and the old one drain. Fails if the prepared worker has died meanwhile, or the link cannot be changed. */
  accept(): RollResult
  /** Keeps the old worker and lets the prepared one drain. Returns whether that serves already, because there is no old one. */
  refuse(): boolean
  /** `prepare` without a trial, then `accept`. */
  replace(plan: WorkerPlan): Promise<RollResult>
  /** Resolves when all replaced workers are gone. */
  drained(): Promise<void>
  /** The serving worker; undefined if there is none or it is being replaced. */
  serving(): Worker | undefined
  /**
   * Lets its worker drain, and starts the next one when a request comes. Returns the end of the sleep; undefined if it cannot sleep now.
   * Throws if the system refuses a socket, and then nothing has changed.
   */
  sleep(): Promise<void> | undefined
  /** Ends its sleep, if it is asleep. */
  wake(): void
  /** Whether its worker did not boot after sleep, and none has since: what waited for it was sent to no worker. */
  hasFailedToWake(): boolean
  /** Makes its workers drain, with SIGKILL after `graceMs`, and starts no more. Resolves when they are gone. */
  stop(graceMs: number): Promise<void>
  /** Kills a worker that is not ready yet, as if it had failed. */
  killBooting(): void
  /** Address for nginx's upstream. */
  address(): WorkerAddress
  /** Whether nginx uses the slot: it was ready once and is not withdrawn. */
  isInRotation(): boolean
  /** Removes the slot from the rotation for good, without an update of nginx. Its address belongs to the pool from now on. */
  leaveRotation(): void
  /** Load of its worker, from 0 to 1; undefined if unknown. */
  load(): number | undefined
  /** Like `stop`, for a slot that gets no new requests: waits until its queue is empty, then stops. */
  retire(graceMs: number): Promise<void>
  status(): WorkerStatus
}
