import { pause } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { recyclesAtOnce } from '../domain/batches.ts'
import type { UpstreamServer } from '../domain/nginx-upstream.ts'
import { placePath, spreadPlaces } from '../domain/places.ts'
import type { WorkerAddress } from '../domain/ports.ts'
import type { WorkerStatus } from '../domain/status.ts'
import type { Death } from './death-record.ts'
import { createRecycling } from './recycling.ts'
import { createRoll, type Roll } from './roll.ts'
import { type RollResult, stopping } from './roll-result.ts'
import { createTurns } from './turns.ts'
import type { WorkerPlan } from './worker-plan.ts'
import { createWorkerSlot, type WorkerSlot, type WorkerSlotDeps } from './worker-slot.ts'

const settlePollMs = 2

export type BootResult = { ok: true } | { ok: false; death: Death }

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
  giveUpBooting(): void
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

export type WorkerPoolDeps = Omit<WorkerSlotDeps, 'onReady' | 'placesOf'>

export function createWorkerPool(deps: WorkerPoolDeps, initialPlan: WorkerPlan): WorkerPool {
  let plan = initialPlan
  let isStopping = false
  let isBooted = false
  let slots: WorkerSlot[] = []
  /** The slot that each place leads to. */
  let leads = new Map<number, number>()
  let rolling: Roll | undefined
  const turns = createTurns(() => recyclesAtOnce(slots.length))
  const recycling = createRecycling({ ...deps, turns, plan: () => plan, slots: () => slots })
  const failedFirst = new Set<number>()
  let settleBoot: (result: BootResult) => void
  const booted = new Promise<BootResult>(resolve => {
    settleBoot = resolve
  })

  function createSlot(number: number, slotPlan: WorkerPlan): WorkerSlot {
    const slotDeps: WorkerSlotDeps = {
      ...deps,
      placesOf: () => [...leads].flatMap(([place, slot]) => (slot === number ? addressOf(place) : [])),
      onRotation() {
        spreadOrTell()
        return deps.onRotation()
      },
      onReady() {
        isBooted = true
        settleBoot({ ok: true })
      },
      onDeath(death) {
        rolling?.died(death)
        if (!death.wasReady) failedFirst.add(number)
        if (isBooted || !slots.every(slot => failedFirst.has(slot.number))) {
          const endsRun = deps.onDeath(death)
          // its record first, which tells what the places that led there had
          if (endsRun) queueMicrotask(() => abandon(number))
          return endsRun
        }
        settleBoot({ ok: false, death })
        return slotPlan.afterFailure === 'retry'
      },
    }
    return createWorkerSlot(slotDeps, number, slotPlan)
  }

  const pathOf = (place: number) => placePath(deps.runDir, plan.app, place)

  function addressOf(place: number): WorkerAddress {
    return { kind: 'unix', path: pathOf(place) }
  }

  /** Leads the places of those that do not serve to those that do. */
  function spread(): void {
    if (plan.listen === 'port') return
    const serving = slots.filter(slot => slot.isInRotation()).map(({ number }) => number)
    const numbers = slots.map(({ number }) => number)
    const next = spreadPlaces(Math.max(plan.places, slots.length, leads.size), numbers, serving)
    for (const [place, support] of next) {
      if (place === support || leads.get(place) === support) continue
      const own = slots.find(({ number }) => number === place)
      if (own) own.leanOn(addressOf(support))
      else deps.sockets.point(pathOf(place), pathOf(support))
    }
    leads = next
  }

  /** What cannot be led elsewhere (a full disk) stays as it is, for nginx to pass over; the others serve on. */
  function spreadOrTell(): void {
    try {
      spread()
    } catch (error) {
      deps.log.error('cannot lead requests past a withdrawn worker', {
        app: plan.app,
        reason: messageOf(error),
        fix: 'make room in run_dir',
      })
    }
  }

  /** No worker follows in the slot: what waits for one goes elsewhere or is refused, so that the stop need not wait for it. */
  function abandon(number: number): void {
    const slot = slots.find(candidate => candidate.number === number)
    slot?.leaveRotation()
    spreadOrTell()
    void slot?.stop(plan.gracefulTimeoutMs)
  }

  /** nginx's list: as many places as the plan says, or one per worker where places cannot lead elsewhere. */
  function servers(counted: readonly WorkerSlot[]): UpstreamServer[] {
    if (plan.places === 0) return counted.map(slot => ({ slot: slot.number, address: slot.address() }))
    const places = counted.length === 0 ? 0 : Math.max(plan.places, slots.length)
    return Array.from({ length: places }, (_, index) => ({ slot: index + 1, address: addressOf(index + 1) }))
  }

  async function removeSlots(leaving: WorkerSlot[], graceMs: number): Promise<void> {
    if (leaving.length === 0) return
    for (const slot of leaving) slot.leaveRotation()
    slots = slots.filter(slot => !leaving.includes(slot))
    spreadOrTell()
    await deps.onRotation()
    await Promise.all(leaving.map(slot => slot.leave(graceMs)))
  }

  /** Brings the slots to the plan's count; new workers that do not come up change nothing. */
  async function resize(next: WorkerPlan): Promise<RollResult> {
    const before = slots.length
    for (let number = before + 1; number <= next.count; number++) {
      const slot = createSlot(number, next)
      slots.push(slot)
      spread()
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
    recycling.begin()
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
      spread()
      for (const slot of slots) slot.start()
      recycling.begin()
      return booted
    },
    async settled(timeoutMs) {
      const deadline = deps.clock.monotonic() + timeoutMs
      const isBooting = () => slots.some(slot => slot.status().state === 'booting' && !failedFirst.has(slot.number))
      while (isBooting() && deps.clock.monotonic() < deadline) await pause(deps.clock, settlePollMs)
    },
    rotation: () => servers(slots.filter(slot => slot.isInRotation())),
    addresses: () => servers(slots),
    plan: () => plan,
    load() {
      const loads = slots.map(slot => slot.load()).filter(load => load !== undefined)
      return loads.length > 0 ? loads.reduce((sum, load) => sum + load, 0) / loads.length : undefined
    },
    roll: next => turns.alone(() => roll(next)),
    restart: name => turns.alone(() => (name === undefined ? roll(plan) : restart(name))),
    scale: count => turns.alone(() => resize({ ...plan, count })),
    giveUpBooting() {
      for (const slot of slots) slot.giveUpBooting()
    },
    async retire() {
      isStopping = true
      recycling.end()
      await Promise.all(slots.map(slot => slot.leave(plan.gracefulTimeoutMs)))
    },
    async stop(graceMs) {
      isStopping = true
      recycling.end()
      await Promise.all(slots.map(slot => slot.stop(graceMs)))
    },
    status: () => slots.map(slot => slot.status()),
  }
}
