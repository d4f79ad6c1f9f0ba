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

/** Trial of a worker: the time for which it must live after it became ready, in ms. */
export interface Trial {
  ms: number
}

/** Attempt that ends with the trial, or without one when the worker is ready. */
export function createAttempt(clock: Clock, trial: Trial | undefined): Attempt {
  let about: number | undefined
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
      about ??= worker
    },
    readied(worker) {
      if (worker !== about) return
      if (trial && trial.ms > 0) cancelTrial = clock.after(trial.ms, () => conclude({ ok: true }))
      else conclude({ ok: true })
    },
    failed: conclude,
  }
}
