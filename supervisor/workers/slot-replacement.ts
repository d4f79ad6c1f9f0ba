import { reasonOf } from '../base/errors.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { SlotEvent, SlotState } from '../processes/slot-state.ts'
import type { SlotPlan } from './slot-plan.ts'
import type { SlotWorkers } from './slot-workers.ts'
import type { WorkerSlot } from './worker-slot.ts'

/** Slot whose worker is to be replaced. */
export interface ReplacedSlot {
  name: string
  plan: SlotPlan
  workers: SlotWorkers
  state: () => SlotState
  isStopping: () => boolean
  dispatch: (event: SlotEvent) => void
  drained: WorkerSlot['drained']
  /** Cancels the next try after a failure, because the replacement is one. */
  cancelRetry: () => void
  /** Called when the prepared worker has taken over. */
  onAccepted: () => void
}

/** Replacement of a slot's worker by one of another plan, in the steps that a pool takes with all its slots. */
export function createSlotReplacement({
  name,
  plan,
  workers,
  state,
  isStopping,
  dispatch,
  drained,
  cancelRetry,
  onAccepted,
}: ReplacedSlot): Pick<WorkerSlot, 'prepare' | 'accept' | 'refuse' | 'replace'> {
  const prepare: WorkerSlot['prepare'] = async (next, trial) => {
    await drained()
    if (isStopping()) return stopping
    cancelRetry()
    const present = state()
    if (next.stopsFirst && present.name === 'serving') {
      dispatch({ type: 'stoppedFirst' })
      await workers.end(present.worker)
    }
    const attempt = plan.propose(next, trial)
    dispatch({ type: state().name === 'idle' ? 'started' : 'replacementRequested' })
    const result = await attempt.settled
    if (!result.ok) plan.takeBack()
    return result
  }

  function accept(): RollResult {
    const result = plan.settle()
    if (!result.ok) return result
    const present = state()
    try {
      if (present.name === 'replacing') workers.lead(present.next)
    } catch (error) {
      refuse()
      return { ok: false, reason: `${name}: ${reasonOf(error)}`, lastLines: [] }
    }
    dispatch({ type: 'replacementAccepted' })
    onAccepted()
    return result
  }

  function refuse(): boolean {
    const serves = plan.attempt()?.result()?.ok === true && state().name === 'serving'
    plan.takeBack()
    dispatch({ type: 'replacementRefused' })
    return serves
  }

  return {
    prepare,
    accept,
    refuse,
    async replace(next) {
      const result = await prepare(next)
      return result.ok ? accept() : result
    },
  }
}
