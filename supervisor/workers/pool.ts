import { recyclesAtOnce } from '../base/batches.ts'
import { pause } from '../base/clock.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { WorkerPlan } from './plan.ts'
import { type BootResult, createPoolBoot } from './pool-boot.ts'
import { createPoolEntries } from './pool-entries.ts'
import { createRecycler } from './recycler.ts'
import { createRoll, type Roll } from './roll.ts'
import { createWorkerSlot, type WorkerSlot, type WorkerSlotDeps } from './slot.ts'
import type { WorkerStatus } from './status.ts'
import { createTurns } from './turns.ts'
import type { UpstreamServer } from './upstream.ts'

const settlePollMs = 2

export interface WorkerPool {
  /** Starts every worker; settles with the first that is ready, or when the first worker of every slot has failed. */
  start(): Promise<BootResult>
  /** Settles when every worker is ready, or has failed, or the time is over: the fewer come later, the fewer reloads. */
  settled(timeoutMs: number): Promise<void>
  /** Where nginx finds the workers now. */
  rotation(): UpstreamServer[]
  /** Where nginx will find all workers when they are ready. */
  addresses(): UpstreamServer[]
  /**
   * Replaces every worker, a batch of slots after the other. When a new worker does not come up, or dies at once, the slots
   * already replaced go back to the old plan.
   */
  roll(plan: WorkerPlan): Promise<RollResult>
  /** Replaces one worker (`app.1`), or all. */
  restart(name?: string): Promise<RollResult>
  /** More or fewer slots. New workers that do not come up are given up again; those that leave drain. */
  scale(count: number): Promise<RollResult>
  /** Kills what is not ready yet, as if it had failed. */
  killBooting(): void
  /** How busy the workers are that tell, from 0 to 1; undefined when none does. */
  load(): number | undefined
  /** The plan in force; its count is that of the slots. */
  plan(): WorkerPlan
  /** Stops for good, after nginx was told: what waits is served first. */
  retire(): Promise<void>
  /** Asks all workers to drain; SIGKILL after `graceMs`. Settles when all are gone. */
  stop(graceMs: number): Promise<void>
  status(): WorkerStatus[]
}

export type WorkerPoolDeps = Omit<WorkerSlotDeps, 'onReady' | 'entriesOf'>

export function createWorkerPool(deps: WorkerPoolDeps, initialPlan: WorkerPlan): WorkerPool {
  let plan = initialPlan
  let isStopping = false
  let slots: WorkerSlot[] = []
  let rolling: Roll | undefined
  const entries = createPoolEntries({ ...deps, plan: () => plan, slots: () => slots })
  const boot = createPoolBoot(() => slots)
  const turns = createTurns(() => recyclesAtOnce(slots.length))
  const recycler = createRecycler({ ...deps, turns, plan: () => plan, slots: () => slots })

  function createSlot(number: number, slotPlan: WorkerPlan): WorkerSlot {
    const slotDeps: WorkerSlotDeps = {
      ...deps,
      entriesOf: () => entries.leadingTo(number),
      onRotation() {
        entries.trySpread()
        return deps.onRotation()
      },
      onReady: boot.readied,
      onDeath(death) {
        rolling?.died(death)
        if (boot.died(number, death)) return slotPlan.afterFailure === 'retry'
        const endsRun = deps.onDeath(death)
        // its record first, which tells what the places that led there had
        if (endsRun) queueMicrotask(() => abandon(number))
        return endsRun
      },
    }
    return createWorkerSlot(slotDeps, number, slotPlan)
  }

  /** No worker follows in the slot: what waits for one goes elsewhere or is refused, so that the stop need not wait for it. */
  function abandon(number: number): void {
    const slot = slots.find(candidate => candidate.number === number)
    slot?.leaveRotation()
    entries.trySpread()
    void slot?.stop(plan.gracefulTimeoutMs)
  }

  async function removeSlots(leaving: WorkerSlot[], graceMs: number): Promise<void> {
    if (leaving.length === 0) return
    for (const slot of leaving) slot.leaveRotation()
    slots = slots.filter(slot => !leaving.includes(slot))
    entries.trySpread()
    await deps.onRotation()
    await Promise.all(leaving.map(slot => slot.leave(graceMs)))
  }

  /** Brings the slots to the plan's count; new workers that do not come up change nothing. */
  async function resize(next: WorkerPlan): Promise<RollResult> {
    const before = slots.length
    for (let number = before + 1; number <= next.count; number++) {
      const slot = createSlot(number, next)
      slots.push(slot)
      entries.spread()
      const result = isStopping ? stopping : await slot.replace(next)
      if (result.ok) continue
      await removeSlots(slots.slice(before), next.gracefulTimeoutMs)
      return result
    }
    plan = next
    await removeSlots(slots.slice(next.count), next.gracefulTimeoutMs)
    return { ok: true }
  }

  async function roll(next: WorkerPlan): Promise<RollResult> {
    const previous = plan
    const present = slots.slice(0, next.count)
    rolling = createRoll({ slots: present, plan: next, previous, isStopping: () => isStopping })
    const rolled = await rolling.run()
    rolling = undefined
    if (!rolled.ok) return rolled
    const result = await resize(next)
    recycler.begin()
    if (!result.ok && !isStopping) for (const other of present) await other.replace(previous)
    return result
  }

  async function restart(name: string): Promise<RollResult> {
    const slot = slots.find(candidate => candidate.name === name)
    if (slot) return createRoll({ slots: [slot], plan, previous: plan, isStopping: () => isStopping }).run()
    const known = slots.map(candidate => candidate.name).join(', ')
    return { ok: false, reason: `there is no worker ${name}; there are ${known}`, lastLines: [] }
  }

  return {
    start() {
      slots = Array.from({ length: plan.count }, (_, index) => createSlot(index + 1, plan))
      entries.spread()
      for (const slot of slots) slot.start()
      recycler.begin()
      return boot.settled
    },
    async settled(timeoutMs) {
      const deadline = deps.clock.monotonic() + timeoutMs
      const isBooting = () => slots.some(slot => slot.status().state === 'booting' && !boot.hasFailed(slot.number))
      while (isBooting() && deps.clock.monotonic() < deadline) await pause(deps.clock, settlePollMs)
    },
    rotation: () => entries.servers(slots.filter(slot => slot.isInRotation())),
    addresses: () => entries.servers(slots),
    plan: () => plan,
    load() {
      const loads = slots.map(slot => slot.load()).filter(load => load !== undefined)
      return loads.length > 0 ? loads.reduce((sum, load) => sum + load, 0) / loads.length : undefined
    },
    roll: next => turns.exclusive(() => roll(next)),
    restart: name => turns.exclusive(() => (name === undefined ? roll(plan) : restart(name))),
    scale: count => turns.exclusive(() => resize({ ...plan, count })),
    killBooting() {
      for (const slot of slots) slot.killBooting()
    },
    async retire() {
      isStopping = true
      recycler.end()
      await Promise.all(slots.map(slot => slot.leave(plan.gracefulTimeoutMs)))
    },
    async stop(graceMs) {
      isStopping = true
      recycler.end()
      await Promise.all(slots.map(slot => slot.stop(graceMs)))
    },
    status: () => slots.map(slot => slot.status()),
  }
}
