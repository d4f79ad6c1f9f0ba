import type { Clock } from '../base/clock.ts'
import type { RollResult } from '../base/roll-result.ts'

/** One try to put another worker into a slot: it has to become ready, and to live through its trial. */
export interface Attempt {
  /** Settles once. */
  readonly settled: Promise<RollResult>
  /** What is known now: a worker that passed may have died since. */
  result(): RollResult | undefined
  /** The worker it is about; the first that was started. */
  worker(): number | undefined
  began(worker: number): void
  readied(worker: number): void
  failed(result: RollResult): void
}

export function createAttempt(clock: Clock, trialMs: number): Attempt {
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
    began(worker) {
      about ??= worker
    },
    readied(worker) {
      if (worker !== about) return
      if (trialMs > 0) cancelTrial = clock.after(trialMs, () => conclude({ ok: true }))
      else conclude({ ok: true })
    },
    failed: conclude,
  }
}
