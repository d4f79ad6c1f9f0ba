import { replacedAtOnce } from '../base/batches.ts'
import { pause } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { WorkerAddress } from './address.ts'
import { renderAddress, type WorkerEntry } from './app-upstream.ts'
import type { WorkerPlan } from './plan.ts'
import { type BootResult, createPoolBoot } from './pool-boot.ts'
import { createPoolEntries } from './pool-entries.ts'
import { createRecycler } from './recycler.ts'
import { createRoll, type OpenRoll, type Roll } from './roll.ts'
import { createWorkerSlot, type WorkerSlotDeps } from './slot.ts'
import type { WorkerStatus } from './status.ts'
import { createStragglers } from './stragglers.ts'
import { createTurns } from './turns.ts'
import type { Worker } from './worker.ts'
import type { WorkerSlot } from './worker-slot.ts'

const settlePollMs = 2

/** The workers of one app, one per slot. */
export interface WorkerPool {
  /**
   * Starts the first `atOnce` workers, by default all. Resolves with the first that is ready, when the first worker of every slot has failed,
   * or when the pool is stopped. With 0, requests wait in the sockets until `startOthers`.
   */
  start(atOnce?: number): Promise<BootResult>
  /** Starts the workers that `start` has left out. */
  startOthers(): void
  /** Resolves when each worker is ready or has failed, or after `timeoutMs`. Each later worker may cost a reload of nginx. */
  settled(timeoutMs: number): Promise<void>
  /** Upstream entries of the ready workers. */
  rotation(): WorkerEntry[]
  /** Upstream entries of all workers, ready or not. */
  addresses(): WorkerEntry[]
  /** Starts to replace all workers, by those of the plan in force if none is given. Nothing else is replaced until the roll is finished or abandoned, as it must be after a good trial. */
  tryOut(plan?: WorkerPlan): Promise<OpenRoll>
  /** `tryOut`, then `finish`. */
  roll(plan: WorkerPlan): Promise<RollResult>
  /** Replaces one worker (`app.1`), or all. */
  restart(name?: string): Promise<RollResult>
  /** Changes the number of slots. If a new worker fails to start, the number stays. Removed workers drain. */
  scale(count: number): Promise<RollResult>
  /**
   * Ends all workers if `isIdle` holds when the turn comes for it, until the next request. Returns the end of the sleep; undefined if it
   * does not sleep.
   */
  sleep(isIdle: () => Promise<boolean>): Promise<{ woken: Promise<void> } | undefined>
  isAsleep(): boolean
  /** Whether a worker did not boot after sleep, and none has since: what waited for it was sent to no worker. */
  hasFailedToWake(): boolean
  /** Kills workers that are not ready yet, as if they had failed. */
  killBooting(): void
  /** Worker that serves in a slot (`app.1`). */
  worker(name: string): Worker | undefined
  /** Mean load of the workers that report it, from 0 to 1; undefined if none does. */
  load(): number | undefined
  /** The plan in force. Its count is the number of slots. */
  plan(): WorkerPlan
  /** Stops the pool, when nginx no longer uses it. Requests in the queues are served first. */
  retire(): Promise<void>
  /** Makes all workers drain, with SIGKILL after `graceMs`. Resolves when they are gone. */
  stop(graceMs: number): Promise<void>
  status(): WorkerStatus[]
  /** Address for another try after one at `failed`: other serving workers in turn; without any, and for a suspect, the next worker in the slot. */
  addressAfter(failed: string, isSuspect: boolean): WorkerAddress | undefined
}

/** Dependencies of a pool. */
export type WorkerPoolDeps = Omit<WorkerSlotDeps, 'onReady' | 'entriesOf'>

/** Pool of an app, not started yet. */
export function createWorkerPool(deps: WorkerPoolDeps, initialPlan: WorkerPlan): WorkerPool {
  let plan = initialPlan
  let isStopping = false
  let slots: WorkerSlot[] = []
  let turn = 0
  /** Removed slots whose workers still drain. */
  const retiring = new Set<WorkerSlot>()
  let rolling: Roll | undefined
  const entries = createPoolEntries({ ...deps, plan: () => plan, slots: () => slots })
  const boot = createPoolBoot(() => slots)
  const turns = createTurns(() => replacedAtOnce(slots.length))
  const stragglers = createStragglers({ ...deps, turns, plan: () => plan })
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
        // after the record of the death, which needs the entries that led to the slot
        if (endsRun) queueMicrotask(() => abandon(number))
        return endsRun
      },
    }
    return createWorkerSlot(slotDeps, number, slotPlan)
  }

  /** Closes a slot that gets no new worker. Waiting requests go elsewhere or are refused, so the stop is not delayed. */
  function abandon(number: number): void {
    const slot = slots.find(candidate => candidate.number === number)
    slot?.leaveRotation()
    entries.trySpread()
    void slot?.stop(plan.gracefulTimeoutMs)
  }

  async function removeSlots(removed: WorkerSlot[], graceMs: number): Promise<void> {
    if (removed.length === 0) return
    for (const slot of removed) slot.leaveRotation()
    slots = slots.filter(slot => !removed.includes(slot))
    entries.trySpread()
    for (const slot of removed) retiring.add(slot)
    await deps.onRotation()
    await Promise.all(removed.map(slot => slot.retire(graceMs)))
    for (const slot of removed) retiring.delete(slot)
  }

  async function addSlot(number: number, next: WorkerPlan): Promise<RollResult> {
    const slot = createSlot(number, next)
    slots.push(slot)
    try {
      entries.spread()
    } catch (error) {
      return { ok: false, reason: `${slot.name}: ${reasonOf(error)}`, lastLines: [] }
    }
    return isStopping ? stopping : slot.replace(next)
  }

  /** Changes the number of slots to the plan's. If a new worker fails to start, nothing changes. */
  async function resize(next: WorkerPlan): Promise<RollResult> {
    const before = slots.length
    for (let number = before + 1; number <= next.count; number++) {
      const result = await addSlot(number, next)
      if (result.ok) continue
      await removeSlots(slots.slice(before), next.gracefulTimeoutMs)
      return result
    }
    plan = next
    // the plan may have other entries
    entries.trySpread()
    await removeSlots(slots.slice(next.count), next.gracefulTimeoutMs)
    return { ok: true }
  }

  const rollDeps = { isStopping: () => isStopping, bringBack: stragglers.bringBack }

  /** Rolls to `next`, or to the plan in force when its turn comes. */
  async function tryOut(next?: WorkerPlan): Promise<OpenRoll> {
    const release = await turns.hold()
    const target = next ?? plan
    const present = slots.slice(0, target.count)
    stragglers.suspend()
    const begun = createRoll({ ...rollDeps, slots: present, plan: target, previous: plan })
    rolling = begun

    async function end<T>(act: () => Promise<T>): Promise<T> {
      try {
        return await act()
      } finally {
        rolling = undefined
        release()
      }
    }

    async function attempt(run: () => Promise<RollResult>): Promise<RollResult> {
      const result = await run()
      if (!result.ok) stragglers.resume()
      return result
    }

    async function finish(): Promise<RollResult> {
      const rolled = await attempt(begun.finish)
      rolling = undefined
      if (!rolled.ok) return rolled
      stragglers.forget()
      const result = await resize(target)
      recycler.begin()
      if (!result.ok && !isStopping) for (const other of present) await stragglers.bringBack(other)
      return result
    }

    const tried = await attempt(begun.tryOut)
    if (!tried.ok) await end(async () => {})
    return { tried, finish: () => end(finish), abandon: () => end(() => begun.abandon().then(stragglers.resume)) }
  }

  async function roll(next?: WorkerPlan): Promise<RollResult> {
    const { tried, finish } = await tryOut(next)
    return tried.ok ? finish() : tried
  }

  async function restart(name: string): Promise<RollResult> {
    const slot = slots.find(candidate => candidate.name === name)
    if (slot) {
      const { tryOut, finish } = createRoll({ ...rollDeps, slots: [slot], plan, previous: plan })
      const tried = await tryOut()
      return tried.ok ? finish() : tried
    }
    const known = slots.map(candidate => candidate.name).join(', ')
    return { ok: false, reason: `there is no worker ${name}; the workers are ${known}`, lastLines: [], isUnknown: true }
  }

  async function sleep(isIdle: () => Promise<boolean>): Promise<{ woken: Promise<void> } | undefined> {
    await Promise.all(slots.map(slot => slot.drained()))
    if (isStopping || !(await isIdle())) return undefined
    const alone = await resize({ ...plan, count: 1 })
    const woken = alone.ok && !isStopping ? slots[0]?.sleep() : undefined
    return woken && { woken }
  }

  function end(): void {
    isStopping = true
    boot.stopped()
    recycler.end()
    stragglers.forget()
    entries.end()
  }

  return {
    start(atOnce = plan.count) {
      slots = Array.from({ length: plan.count }, (_, index) => createSlot(index + 1, plan))
      entries.spread()
      for (const slot of slots.slice(0, atOnce)) slot.start()
      if (atOnce === 0) for (const slot of slots) slot.listen()
      recycler.begin()
      return boot.settled
    },
    startOthers() {
      if (isStopping) return
      for (const slot of slots) if (slot.status().state === 'idle') slot.start()
    },
    async settled(timeoutMs) {
      const deadline = deps.clock.monotonic() + timeoutMs
      const isBooting = () => slots.some(slot => slot.status().state === 'booting' && !boot.hasFailed(slot.number))
      while (isBooting() && deps.clock.monotonic() < deadline) await pause(deps.clock, settlePollMs)
    },
    rotation: () => entries.servers(slots.filter(slot => slot.isInRotation())),
    addresses: () => entries.servers(slots),
    plan: () => plan,
    worker: name => slots.find(slot => slot.name === name)?.serving(),
    load() {
      const loads = slots.map(slot => slot.load()).filter(load => load !== undefined)
      return loads.length > 0 ? loads.reduce((sum, load) => sum + load, 0) / loads.length : undefined
    },
    tryOut,
    roll,
    restart: name => (name === undefined ? roll() : turns.exclusive(() => restart(name))),
    scale: count =>
      turns.exclusive(() => {
        for (const slot of slots) slot.wake()
        return resize({ ...plan, count })
      }),
    sleep: isIdle => turns.exclusive(() => sleep(isIdle)),
    hasFailedToWake: () => slots.some(slot => slot.hasFailedToWake()),
    isAsleep: () => slots.some(slot => slot.status().state === 'asleep'),
    killBooting() {
      for (const slot of slots) slot.killBooting()
    },
    async retire() {
      end()
      await Promise.all(slots.map(slot => slot.retire(plan.gracefulTimeoutMs)))
    },
    async stop(graceMs) {
      end()
      await Promise.all([...slots, ...retiring].map(slot => slot.stop(graceMs)))
    },
    status: () => slots.map(slot => slot.status()),
    addressAfter(failed, isSuspect) {
      const leadsTo = (slot: WorkerSlot) =>
        [slot.address(), ...entries.leadingTo(slot.number)].some(address => renderAddress(address) === failed)
      const own = slots.find(leadsTo)?.address()
      // connections to a socket wait for the next worker
      const successor = own?.kind === 'unix' ? own : undefined
      const serving = slots.filter(slot => slot.serving() && !leadsTo(slot))
      if (serving.length === 0 || (isSuspect && successor)) return successor
      return serving[turn++ % serving.length]?.address()
    },
  }
}
