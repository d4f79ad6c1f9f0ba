import type { Clock } from '../base/clock.ts'
import type { RollResult } from '../base/roll-result.ts'

/** Attempt to bring another worker into a slot: the worker must become ready and survive its trial. */
export interface Attempt {
  /** Resolves with the first result. */
  readonly settled: Promise<RollResult>
  /** Present result: a worker that passed may have died since. Undefined while it is open. */
  result(): RollResult | undefined
  /** The worker on trial, which is the first that was started. */
  worker(): number | undefined
  /** Trial of the worker, during which no request reaches it; undefined if it may share the socket of the one it replaces. */
  readonly trial: Trial | undefined
  began(worker: number): void
  readied(worker: number): void
  failed(result: RollResult): void
}

/** Boot time from which a trial lasts in full. */
const fullTrialBootMs = 400
/** Duration below which no trial is shortened. */
const shortestTrialMs = 500

/** Trial of a worker: the time for which it must live after it became ready, in ms, unless it boots fast. */
export interface Trial {
  ms: number
}

/** Duration of a trial in ms: all of it after a boot of 400 ms and more, less in proportion to a faster one, but at least 500 ms of it. */
function trialAfterBoot({ ms }: Trial, bootMs: number): number {
  return Math.min(ms, Math.max(shortestTrialMs, (ms * bootMs) / fullTrialBootMs))
}

/** Attempt that ends with the trial, or without one when the worker is ready. */
export function createAttempt(clock: Clock, trial: Trial | undefined): Attempt {
  let about: number | undefined
  let begunAt = 0
  let known: RollResult | undefined
  let cancelTrial = () => {}
  let settle: (result: RollResult) => void
  const settled = new Promise<RollResult>(resolve => {
    settle = resolve
  })

  function conclude(result: RollResult): void {
    cancelTrial()
    known = result
    settle(result)
  }

  return {
    settled,
    result: () => known,
    worker: () => about,
    trial,
    began(worker) {
      if (about !== undefined) return
      about = worker
      begunAt = clock.monotonic()
    },
    readied(worker) {
      if (worker !== about) return
      const ms = trial ? trialAfterBoot(trial, clock.monotonic() - begunAt) : 0
      if (ms > 0) cancelTrial = clock.after(ms, () => conclude({ ok: true }))
      else conclude({ ok: true })
    },
    failed: conclude,
  }
}
