import { inBatches } from '../base/batches.ts'
import { formatDuration } from '../base/duration.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { Death } from '../processes/death.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'

/** Rolling replacement of the workers of slots. */
export interface Roll {
  /** Brings every slot to the plan, or returns every slot to the previous one. */
  run(): Promise<RollResult>
  /** Records a death. The roll fails if it started that worker, and the worker served for less than min_uptime. */
  died(death: Death): void
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
 * an old worker drains. Later ones take over when they are ready, and are watched until the roll ends.
 */
export function createRoll({ slots, plan, previous, isStopping, bringBack }: RollOptions): Roll {
  const replaced: WorkerSlot[] = []
  let failure: RollResult | undefined

  async function replaceBatch(batch: readonly WorkerSlot[]): Promise<RollResult> {
    const trialMs = replaced.length === 0 && plan.afterFailure === 'retry' ? plan.minUptimeMs : 0
    const results = await Promise.all(batch.map(slot => slot.prepare(plan, trialMs)))
    const refusal = failure ?? results.find(({ ok }) => !ok)
    if (refusal || isStopping()) {
      for (const [index, slot] of batch.entries()) if (results[index]?.ok) refuse(slot)
      return refusal ?? stopping
    }
    const accepted = batch.map(slot => slot.accept())
    replaced.push(...batch.filter((_, index) => accepted[index]?.ok))
    return accepted.find(({ ok }) => !ok) ?? { ok: true }
  }

  function refuse(slot: WorkerSlot): void {
    if (slot.serving()) replaced.push(slot) // it has no old worker to keep
    slot.refuse()
  }

  /** Returns replaced slots to the previous plan, unless it is the same plan: that would start the same workers again. */
  async function goBack(): Promise<void> {
    if (plan === previous) return
    for (const slot of replaced) if (!isStopping()) await bringBack(slot)
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
