import type { WorkerAddress } from './address.ts'
import type { Endpoint } from './endpoint.ts'
import type { WorkerPlan } from './plan.ts'
import type { SlotAddress } from './slot-address.ts'
import { launchWorker, type Worker, type WorkerDeps, type WorkerLaunch } from './worker.ts'
import { type RefusedEnd, refusedEnd, type WorkerEnd } from './worker-end.ts'

const queueTimeoutMs = 5000

/** Processes of one slot, including draining ones. Passes the slot's address and queue from one to the next. */
export interface SlotWorkers {
  /** Opens the endpoint of a first worker of `plan`, if requests can wait there without one. */
  listen(plan: WorkerPlan): void
  /** Starts a worker, as the successor of `replaced` if that still serves. `onEnd` follows every start, even a refused one. */
  start(worker: number, plan: WorkerPlan, replaced?: Replaced): void
  get(worker: number): Worker | undefined
  /** Points the address to a worker. If it throws, nothing has changed. */
  lead(worker: number): void
  /** Gives the address to a worker whose predecessor is gone. Returns whether the link must be changed and nginx updated. */
  takeOver(worker: number): boolean
  /** Stops a worker. If the address leads to its successor, its queue is emptied first. */
  retire(worker: number, successor: number | undefined): Promise<void>
  /** Stops a worker whose address leads elsewhere, when its queue is empty. */
  rest(worker: number): Promise<void>
  /** Stops a worker, and resolves when it is gone. Connections wait for the next one. */
  end(worker: number): Promise<void>
  /** Resolves when a worker has accepted every connection that waits now. */
  emptyQueue(): Promise<void>
  /** Resolves when all workers except `than` are gone. */
  othersGone(than: readonly number[]): Promise<void>
  /** Makes all workers drain, with SIGKILL after `graceMs`. Resolves when they are gone. */
  stop(graceMs: number): Promise<void>
}

/** Worker that serves while its successor starts. */
export interface Replaced {
  worker: number
  /** Whether no request may reach the successor for now, so that it cannot share the socket. */
  isApart: boolean
}

/** Dependencies of the workers of a slot. */
export interface SlotWorkersDeps extends WorkerDeps {
  address: SlotAddress
  /** Updates the slot's address in nginx. Resolves when the change is in effect. */
  onMoved: () => Promise<void>
  onReady: (worker: number) => void
  onAccepting: (worker: number) => void
  /** Called as soon as a worker is gone, before `onEnd`. */
  onExit: (worker: number, exit: Parameters<WorkerLaunch['onExit']>[0]) => void
  onEnd: (worker: number, end: WorkerEnd | RefusedEnd) => void
}

/** Workers of a slot, none of which runs yet. `name` is as in `app.1`. */
export function createSlotWorkers(deps: SlotWorkersDeps, { name, slot }: { name: string; slot: number }): SlotWorkers {
  const { address, clock, onEnd } = deps
  const workers = new Map<number, Worker & { plan: WorkerPlan; recorded: Promise<void> }>()
  /** Endpoint that no worker has used yet. */
  let unused: Endpoint | undefined

  /**
   * Endpoint for a worker. If the same command used the notify descriptor before, the new worker shares the socket of the one
   * that it replaces, with its queue, unless that one closes what comes to it or the new one starts apart. Any other worker gets its own
   * socket: only a response on it shows that the worker is ready.
   */
  function endpointFor(worker: number, plan: WorkerPlan, replaced: Replaced | undefined): Endpoint {
    const present = address.current()
    const served = replaced && workers.get(replaced.worker)
    if (!present || !address.suits(plan)) return address.open(plan, worker)
    const isSharable =
      !served ||
      (!replaced?.isApart &&
        served.hasNotified() &&
        served.accepts() &&
        isSameCommand(served.plan, plan) &&
        plan.listen === 'inherit')
    return isSharable ? present : address.open(plan, worker)
  }

  /** Waits for a response at `of`. A queue is first in, first out, so all earlier connections were accepted before. */
  async function emptyQueue(of: WorkerAddress, plan?: WorkerPlan): Promise<void> {
    await deps.probe.responds(of, queueTimeoutMs, plan?.protocol)
  }

  /** Makes an endpoint the present one. The one before, if no worker has ever used it, is closed. */
  function use(endpoint: Endpoint): void {
    const before = address.current()
    address.use(endpoint)
    if (before === unused && before !== endpoint) before?.close()
    unused = undefined
  }

  return {
    listen(plan) {
      if (plan.listen !== 'inherit' || address.current()) return
      const endpoint = address.open(plan, 1)
      try {
        address.use(endpoint)
      } catch (error) {
        endpoint.close()
        throw error
      }
      unused = endpoint
    },
    start(worker, plan, replaced) {
      let opened: Endpoint | undefined
      try {
        const endpoint = endpointFor(worker, plan, replaced)
        opened = endpoint
        const isShared = replaced !== undefined && endpoint === address.current()
        if (replaced === undefined) use(endpoint)
        const launched = launchWorker(deps, {
          name,
          slot,
          plan,
          endpoint,
          isShared,
          onReady: () => deps.onReady(worker),
          onAccepting: () => deps.onAccepting(worker),
          onExit: exit => deps.onExit(worker, exit),
        })
        const recorded = launched.ended.then(end => {
          workers.delete(worker)
          if (endpoint !== address.current()) endpoint.close()
          onEnd(worker, end)
        })
        workers.set(worker, { ...launched, plan, recorded })
      } catch (error) {
        if (opened !== address.current()) opened?.close()
        clock.after(0, () => onEnd(worker, refusedEnd(error)))
      }
    },
    get: worker => workers.get(worker),
    lead(worker) {
      const next = workers.get(worker)
      if (next && next.endpoint !== address.current()) address.use(next.endpoint)
    },
    takeOver(worker) {
      const serving = workers.get(worker)
      if (!serving || serving.endpoint === address.current()) return false
      address.drop()?.close()
      address.adopt(serving.endpoint)
      return true
    },
    async retire(worker, successor) {
      const old = workers.get(worker)
      const next = successor === undefined ? undefined : workers.get(successor)
      if (!old) return
      if (next && next.endpoint !== old.endpoint) {
        // nginx uses a port by itself, and a socket by its link
        if ([next, old].some(({ endpoint }) => endpoint.own.kind === 'tcp')) await deps.onMoved()
        if (old.endpoint.own.kind === 'unix') await emptyQueue(old.endpoint.own, old.plan)
      }
      old.process.stop()
    },
    async rest(worker) {
      const resting = workers.get(worker)
      if (resting?.endpoint.own.kind === 'unix') await emptyQueue(resting.endpoint.own, resting.plan)
      resting?.process.stop()
    },
    async end(worker) {
      const ended = workers.get(worker)
      ended?.process.stop()
      await ended?.recorded
    },
    async emptyQueue() {
      const present = address.current()
      const served = [...workers.values()].find(({ endpoint }) => endpoint === present)
      if (present?.own.kind === 'unix') await emptyQueue(present.own, served?.plan)
    },
    async othersGone(than) {
      await Promise.all([...workers].map(([worker, { recorded }]) => !than.includes(worker) && recorded))
    },
    async stop(graceMs) {
      const stopped = [...workers.values()]
      for (const { process } of stopped) process.stop(graceMs)
      await Promise.all(stopped.map(({ recorded }) => recorded))
      address.drop()?.close()
    },
  }
}

function isSameCommand(one: WorkerPlan, other: WorkerPlan): boolean {
  return JSON.stringify(one.argv) === JSON.stringify(other.argv)
}
