import { pause } from '../base/clock.ts'
import type { WorkerAddress } from '../domain/ports.ts'
import type { WorkerPlan } from './worker-plan.ts'
import {
  createWorkerSlot,
  type Death,
  type RollResult,
  type WorkerSlot,
  type WorkerSlotDeps,
  type WorkerStatus,
} from './worker-slot.ts'

const settlePollMs = 2

export type BootResult = { ok: true } | { ok: false; death: Death }

export interface WorkerPool {
  /** Starts every worker; settles with the first that is ready, or when the first worker of every slot has failed. */
  start(): Promise<BootResult>
  /** Settles when every worker is ready, or has failed, or the time is over: the fewer come later, the fewer reloads. */
  settled(timeoutMs: number): Promise<void>
  /** Where nginx finds the workers now. */
  rotation(): WorkerAddress[]
  /** Where nginx will find all workers when they are ready. */
  addresses(): WorkerAddress[]
  /**
   * Replaces every worker, one slot after the other. When a new worker does not come up, the slots already replaced go
   * back to the old plan.
   */
  roll(plan: WorkerPlan): Promise<RollResult>
  plan(): WorkerPlan
  /** Asks all workers to drain; SIGKILL after `graceMs`. Settles when all are gone. */
  stop(graceMs: number): Promise<void>
  status(): WorkerStatus[]
}

export type WorkerPoolDeps = Omit<WorkerSlotDeps, 'onReady'>

export function createWorkerPool(deps: WorkerPoolDeps, initialPlan: WorkerPlan): WorkerPool {
  let plan = initialPlan
  let isStopping = false
  let isBooted = false
  let slots: WorkerSlot[] = []
  const failedFirst = new Set<number>()
  let settleBoot: (result: BootResult) => void
  const booted = new Promise<BootResult>(resolve => {
    settleBoot = resolve
  })

  function createSlot(number: number, slotPlan: WorkerPlan): WorkerSlot {
    const slotDeps: WorkerSlotDeps = {
      ...deps,
      onReady() {
        isBooted = true
        settleBoot({ ok: true })
      },
      onDeath(death) {
        if (!death.wasReady) failedFirst.add(number)
        if (isBooted || !slots.every(slot => failedFirst.has(slot.number))) return deps.onDeath(death)
        settleBoot({ ok: false, death })
        return true
      },
    }
    return createWorkerSlot(slotDeps, number, slotPlan)
  }

  async function removeSlots(leaving: WorkerSlot[], graceMs: number): Promise<void> {
    if (leaving.length === 0) return
    for (const slot of leaving) slot.leaveRotation()
    slots = slots.filter(slot => !leaving.includes(slot))
    await deps.onRotation()
    await Promise.all(leaving.map(slot => slot.stop(graceMs)))
  }

  return {
    start() {
      slots = Array.from({ length: plan.count }, (_, index) => createSlot(index + 1, plan))
      for (const slot of slots) slot.start()
      return booted
    },
    async settled(timeoutMs) {
      const deadline = deps.clock.now() + timeoutMs
      const isBooting = () => slots.some(slot => slot.status().state === 'booting' && !failedFirst.has(slot.number))
      while (isBooting() && deps.clock.now() < deadline) await pause(deps.clock, settlePollMs)
    },
    rotation: () => slots.filter(slot => slot.isInRotation()).map(slot => slot.address()),
    addresses: () => slots.map(slot => slot.address()),
    plan: () => plan,
    async roll(next) {
      const previous = plan
      const present = [...slots]
      const replaced: WorkerSlot[] = []
      for (let number = 1; number <= next.count; number++) {
        let slot = present.find(candidate => candidate.number === number)
        if (!slot) {
          slot = createSlot(number, next)
          slots.push(slot)
        }
        const result = isStopping ? stopping : await slot.replace(next)
        if (!result.ok) {
          await removeSlots(
            slots.filter(candidate => candidate.number > previous.count),
            next.gracefulTimeoutMs,
          )
          for (const other of isStopping ? [] : replaced.filter(candidate => present.includes(candidate)))
            await other.replace(previous)
          return result
        }
        replaced.push(slot)
      }
      plan = next
      await removeSlots(
        slots.filter(candidate => candidate.number > next.count),
        previous.gracefulTimeoutMs,
      )
      return { ok: true }
    },
    async stop(graceMs) {
      isStopping = true
      await Promise.all(slots.map(slot => slot.stop(graceMs)))
    },
    status: () => slots.map(slot => slot.status()),
  }
}

const stopping: RollResult = { ok: false, reason: 'monohull is stopping', lastLines: [] }
