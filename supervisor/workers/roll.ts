import { inBatches } from '../base/batches.ts'
import { formatDuration } from '../base/duration.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { Death } from '../processes/death.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'

/** A rolling replacement under way. */
export interface Roll {
  /** Brings every slot to the plan, or leaves every slot with what it had. */
  run(): Promise<RollResult>
  /** A worker died by itself: one that this roll brought ends it, when it served for less than min_uptime. */
  died(death: Death): void
}

export interface RollOptions {
  slots: readonly WorkerSlot[]
  plan: WorkerPlan
  previous: WorkerPlan
  isStopping: () => boolean
}

/**
 * Slots are replaced in batches of `surge`. The workers of the first batch are on trial: they live for min_uptime before an
 * old worker drains. Those of later batches take over when they are ready, and are watched while the roll goes on.
 */
export function createRoll({ slots, plan, previous, isStopping }: RollOptions): Roll {
  const replaced: WorkerSlot[] = []
  let failure: RollResult | undefined

  async function replaceBatch(batch: readonly WorkerSlot[]): Promise<RollResult> {
    const trialMs = replaced.length === 0 && plan.afterFailure === 'retry' ? plan.minUptimeMs : 0
    const results = await Promise.all(batch.map(slot => slot.prepare(plan, trialMs)))
    const refusal = failure ?? results.find(({ ok }) => !ok)
    if (refusal || isStopping()) {
      for (const [index, slot] of batch.entries()) if (results[index]?.ok) takeBack(slot)
      return refusal ?? stopping
    }
    const accepted = batch.map(slot => slot.accept())
    replaced.push(...batch.filter((_, index) => accepted[index]?.ok))
    return accepted.find(({ ok }) => !ok) ?? { ok: true }
  }

  function takeBack(slot: WorkerSlot): void {
    if (slot.serving()) replaced.push(slot) // it had no old worker to keep
    slot.refuse()
  }

  /** The same plan again would bring the same worker again: there is nothing to go back to. */
  async function goBack(): Promise<void> {
    if (plan === previous) return
    for (const slot of replaced) if (!isStopping()) await slot.replace(previous)
  }

  return {
    async run() {
      for (const batch of inBatches(slots, plan.surge)) {
        const result = isStopping() ? stopping : (failure ?? (await replaceBatch(batch)))
        if (result.ok) continue
        await goBack()
        return result
      }
      if (failure) await goBack()
      return failure ?? { ok: true }
    },
    died({ worker, servedMs, wasReady, wasKilledOutside, lastLines }) {
      if (!wasReady || wasKilledOutside || servedMs >= plan.minUptimeMs) return
      if (!replaced.some(slot => slot.name === worker)) return
      const within = `within min_uptime ${formatDuration(plan.minUptimeMs)}`
      failure ??= { ok: false, reason: `${worker}: the new worker died ${within} after it was ready`, lastLines }
    },
  }
}
