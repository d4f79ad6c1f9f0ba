import type { WorkerAddress } from './address.ts'
import type { Endpoint } from './endpoint.ts'
import type { WorkerPlan } from './plan.ts'
import type { SlotAddress } from './slot-address.ts'
import { launchWorker, type RefusedEnd, refusedEnd, type Worker, type WorkerDeps, type WorkerEnd } from './worker.ts'

const queueTimeoutMs = 1000

/** The processes of one slot, draining ones too, and how its address and queue pass from one to the next. */
export interface SlotWorkers {
  /** Starts one, in the place of `replaced` where that still serves. An end is told of every start, of a refused one too. */
  start(worker: number, plan: WorkerPlan, replaced: number | undefined): void
  get(worker: number): Worker | undefined
  /** The address leads to this one from now on; true: nginx has to be told. */
  takeOver(worker: number): boolean
  /** Stops a replaced worker, once no new request can reach it and those in its queue were taken. */
  retire(worker: number, successor: number | undefined): Promise<void>
  /** Settles when what waits in the queue now is in a worker's hands. */
  emptyQueue(): Promise<void>
  /** Settles when all others are gone. */
  othersGone(than: readonly number[]): Promise<void>
  /** Asks all to drain, SIGKILL after `graceMs`; settles when they are gone. */
  stop(graceMs: number): Promise<void>
}

export interface SlotWorkersDeps extends WorkerDeps {
  address: SlotAddress
  /** nginx has to be told of the address; settles when it knows. */
  onMoved: () => Promise<void>
  onReady: (worker: number) => void
  onEnd: (worker: number, end: WorkerEnd | RefusedEnd) => void
}

/** `name` as in `app.1`. */
export function createSlotWorkers(deps: SlotWorkersDeps, { name, slot }: { name: string; slot: number }): SlotWorkers {
  const { address, clock, onEnd } = deps
  const workers = new Map<number, Worker & { plan: WorkerPlan; recorded: Promise<void> }>()

  /**
   * A worker that will notify, as the same command did before, shares the socket of the one it replaces, and takes over
   * its queue. Of any other, only a socket of its own can show that it is ready.
   */
  function endpointFor(worker: number, plan: WorkerPlan, replaced: number | undefined): Endpoint {
    const present = address.current()
    const served = replaced === undefined ? undefined : workers.get(replaced)
    if (!present || !address.suits(plan)) return address.open(plan, worker)
    const isSharable =
      !served || (served.hasNotified() && isSameCommand(served.plan, plan) && plan.listen === 'inherit')
    return isSharable ? present : address.open(plan, worker)
  }

  /** Queues are first in, first out: when this is responded, what came before it is in the worker's hands. */
  async function emptyQueue(of: WorkerAddress): Promise<void> {
    await deps.probe.responds(of, queueTimeoutMs)
  }

  return {
    start(worker, plan, replaced) {
      try {
        const endpoint = endpointFor(worker, plan, replaced)
        const isShared = replaced !== undefined && endpoint === address.current()
        if (replaced === undefined) address.use(endpoint)
        const onReady = () => deps.onReady(worker)
        const launched = launchWorker(deps, { name, slot, plan, endpoint, isShared, onReady })
        const recorded = launched.ended.then(end => {
          workers.delete(worker)
          if (endpoint !== address.current()) endpoint.close()
          onEnd(worker, end)
        })
        workers.set(worker, { ...launched, plan, recorded })
      } catch (error) {
        clock.after(0, () => onEnd(worker, refusedEnd(error)))
      }
    },
    get: worker => workers.get(worker),
    takeOver(worker) {
      const serving = workers.get(worker)
      if (!serving || serving.endpoint === address.current()) return false
      address.drop()?.close()
      address.use(serving.endpoint)
      return serving.endpoint.own.kind === 'tcp'
    },
    async retire(worker, successor) {
      const old = workers.get(worker)
      const next = successor === undefined ? undefined : workers.get(successor)
      if (!old) return
      if (next && old.endpoint === address.current() && next.endpoint !== old.endpoint) {
        address.use(next.endpoint)
        if (next.endpoint.own.kind === 'tcp') await deps.onMoved()
        else await emptyQueue(old.endpoint.own)
      }
      old.process.stop()
    },
    async emptyQueue() {
      const present = address.current()
      if (present?.own.kind === 'unix') await emptyQueue(present.own)
    },
    async othersGone(than) {
      await Promise.all([...workers].map(([worker, { recorded }]) => !than.includes(worker) && recorded))
    },
    async stop(graceMs) {
      const leaving = [...workers.values()]
      for (const { process } of leaving) process.stop(graceMs)
      await Promise.all(leaving.map(({ recorded }) => recorded))
      address.drop()?.close()
    },
  }
}

function isSameCommand(one: WorkerPlan, other: WorkerPlan): boolean {
  return JSON.stringify(one.argv) === JSON.stringify(other.argv)
}
