import { backoffMs } from '../base/backoff.ts'
import type { WorkerPlan } from './plan.ts'
import { hasLimits, memoryChecks, type RecycleReason, reachedLimit } from './recycling.ts'
import type { Turns } from './turns.ts'
import type { Worker, WorkerDeps } from './worker.ts'
import type { WorkerSlot } from './worker-slot.ts'

const inspectEveryMs = 1000

/** Replaces workers that have reached a limit, once the new one is ready, and in turn with all other replacements. */
export interface Recycler {
  /** Starts to check the limits, if the plan in force has any. */
  begin(): void
  end(): void
}

/** Dependencies of the recycler of a pool. */
export interface RecyclerDeps extends Pick<WorkerDeps, 'clock' | 'log' | 'random' | 'memoryOf'> {
  turns: Turns
  plan: () => WorkerPlan
  slots: () => readonly WorkerSlot[]
}

/** Recycler that is idle until `begin`. */
export function createRecycler({ clock, log, random, memoryOf, turns, plan, slots }: RecyclerDeps): Recycler {
  const waiting = new Set<WorkerSlot>()
  /** Failed attempts of each slot in a row, and the earliest time of the next. */
  const failed = new Map<WorkerSlot, { count: number; notBefore: number }>()
  /** Checks in a row at which a worker was above its memory limit. */
  const above = new WeakMap<Worker, number>()
  let cancel: (() => void) | undefined
  let isOver = false

  function inspect(): void {
    cancel = undefined
    if (isOver) return
    const due = slots().flatMap(slot => {
      const worker = slot.serving()
      return worker && !worker.isHeld() && !waiting.has(slot) && !isHeldBack(slot) ? [{ slot, worker }] : []
    })
    const memory =
      plan().recycle.maxMemoryBytes > 0 ? memoryOf(due.map(({ worker }) => worker.process.child.pid)) : undefined
    for (const { slot, worker } of due) {
      const memoryBytes = memory?.get(worker.process.child.pid) ?? 0
      const reason = reasonFor(worker, staysAbove(worker, memoryBytes) ? memoryBytes : 0)
      if (reason) void turns.shared(() => recycle(slot, worker, reason)).finally(() => waiting.delete(slot))
      if (reason) waiting.add(slot)
    }
    begin()
  }

  /**
   * Limit that a worker has reached. Undefined before min_uptime, because a worker that starts above a limit would be replaced
   * endlessly.
   */
  function reasonFor(worker: Worker, memoryBytes: number): RecycleReason | undefined {
    const ageMs = clock.monotonic() - worker.process.state().startedAt
    if (ageMs < plan().minUptimeMs) return undefined
    return reachedLimit({ requests: worker.reports.requests(), memoryBytes, ageMs }, worker.limits)
  }

  /** Whether a worker has used too much memory at several checks in a row. */
  function staysAbove(worker: Worker, memoryBytes: number): boolean {
    const isAbove = worker.limits.memoryBytes > 0 && memoryBytes >= worker.limits.memoryBytes
    const count = isAbove ? (above.get(worker) ?? 0) + 1 : 0
    above.set(worker, count)
    return count >= memoryChecks
  }

  function isHeldBack(slot: WorkerSlot): boolean {
    return clock.monotonic() < (failed.get(slot)?.notBefore ?? 0)
  }

  async function recycle(slot: WorkerSlot, worker: Worker, { reason, value, limit }: RecycleReason): Promise<void> {
    await Promise.all(slots().map(other => other.drained()))
    if (isOver || slot.serving() !== worker) return // it was replaced meanwhile, for another reason
    log.info('recycling worker', { worker: slot.name, pid: worker.process.child.pid, reason, value, limit })
    const result = await slot.replace(plan())
    if (result.ok) {
      failed.delete(slot)
      await slot.drained()
      return
    }
    if (isOver) return
    log.error('recycling abandoned, the old worker stays', { worker: slot.name, reason: result.reason })
    const count = (failed.get(slot)?.count ?? 0) + 1
    failed.set(slot, { count, notBefore: clock.monotonic() + backoffMs(count, plan().backoff, random()) })
  }

  function begin(): void {
    if (!cancel && !isOver && hasLimits(plan().recycle)) cancel = clock.after(inspectEveryMs, inspect)
  }

  return {
    begin,
    end() {
      isOver = true
      cancel?.()
    },
  }
}
