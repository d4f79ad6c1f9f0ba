import { inBatches, replacedAtOnce } from '../base/batches.ts'
import { formatDuration } from '../base/duration.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { Death } from '../processes/death.ts'
import type { Trial } from './attempt.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './worker-slot.ts'

/** Rolling replacement of the workers of slots. */
export interface Roll {
  /** Puts the workers of the first batch on trial, which no request reaches. If one fails, nothing was replaced. */
  tryOut(): Promise<RollResult>
  /** Brings every slot to the plan, beginning with the batch that was tried out, or returns every slot to the previous plan. */
  finish(): Promise<RollResult>
  /** Ends the trial. The old workers stay. */
  abandon(): Promise<void>
  /** Records a death. The roll fails if it started that worker, and the worker served for less than min_uptime. */
  died(death: Death): void
}

/** Roll whose first workers have been on trial. No request has reached them. */
export interface OpenRoll {
  /** Result of the trial. If it failed, the roll is over. */
  tried: RollResult
  /**
   * Replaces all workers, one batch of slots after the other. If a new worker fails to start, or dies within min_uptime, the
   * slots that were already replaced return to the old plan.
   */
  finish(): Promise<RollResult>
  /** Lets the workers on trial drain. The old ones stay. */
  abandon(): Promise<void>
}

/** The slots to replace and their plans. */
export interface RollOptions {
  slots: readonly WorkerSlot[]
  plan: WorkerPlan
  previous: WorkerPlan
  isStopping: () => boolean
  /** Replaces what a slot got by one of the previous plan. */
  bringBack(slot: WorkerSlot): Promise<void>
}

/**
 * Roll that replaces slots in batches of `surge`. Workers of the first batch are on trial: they must live for min_uptime before
 * an old worker drains. Later ones take over when they are ready, and are watched until the roll ends. Without a trial if each old worker
 * must stop first.
 */
export function createRoll({ slots, plan, previous, isStopping, bringBack }: RollOptions): Roll {
  const replaced: WorkerSlot[] = []
  const [first = [], ...others] = inBatches(slots, plan.surge ?? replacedAtOnce(slots.length))
  let isTried = false
  let failure: RollResult | undefined

  async function prepare(batch: readonly WorkerSlot[], trial?: Trial): Promise<RollResult> {
    const results = await Promise.all(batch.map(slot => slot.prepare(plan, trial)))
    const refusal = failure ?? results.find(({ ok }) => !ok)
    if (!refusal && !isStopping()) return { ok: true }
    for (const [index, slot] of batch.entries()) if (results[index]?.ok) refuse(slot)
    return refusal ?? stopping
  }

  function accept(batch: readonly WorkerSlot[]): RollResult {
    const accepted = batch.map(slot => slot.accept())
    replaced.push(...batch.filter((_, index) => accepted[index]?.ok))
    return accepted.find(({ ok }) => !ok) ?? { ok: true }
  }

  async function replaceBatch(batch: readonly WorkerSlot[]): Promise<RollResult> {
    const prepared = batch === first && isTried ? { ok: true as const } : await prepare(batch)
    return prepared.ok ? accept(batch) : prepared
  }

  function refuse(slot: WorkerSlot): void {
    if (slot.refuse()) replaced.push(slot)
  }

  /** Returns replaced slots to the previous plan, unless it is the same plan: that would start the same workers again. */
  async function goBack(): Promise<void> {
    if (plan === previous) return
    for (const slot of replaced) if (!isStopping()) await bringBack(slot)
  }

  return {
    async tryOut() {
      if (plan.stopsFirst || isStopping()) return isStopping() ? stopping : { ok: true }
      const result = await prepare(first, { ms: plan.afterFailure === 'retry' ? plan.minUptimeMs : 0 })
      isTried = result.ok
      if (!result.ok) await goBack()
      return result
    },
    async finish() {
      for (const batch of [first, ...others]) {
        const result = isStopping() ? stopping : (failure ?? (await replaceBatch(batch)))
        if (result.ok) continue
        await goBack()
        return result
      }
      if (failure) await goBack()
      return failure ?? { ok: true }
    },
    async abandon() {
      if (isTried) for (const slot of first) refuse(slot)
      await goBack()
    },
    died({ worker, servedMs, wasReady, wasKilledOutside, lastLines }) {
      if (!wasReady || wasKilledOutside || servedMs >= plan.minUptimeMs) return
      if (!replaced.some(slot => slot.name === worker)) return
      const within = `within min_uptime ${formatDuration(plan.minUptimeMs)}`
      failure ??= { ok: false, reason: `${worker}: the new worker died ${within} after it was ready`, lastLines }
    },
  }
}
