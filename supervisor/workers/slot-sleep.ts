import type { SlotSockets } from '../processes/sockets.ts'
import type { WorkerPlan } from './plan.ts'
import type { SlotAddress } from './slot-address.ts'

/** Sleep of a slot: its socket listens, without a worker, until a connection waits in its queue. */
export interface SlotSleep {
  /**
   * Gives the slot's address to a new socket, which worker number `worker` inherits later, and watches it. Throws if the system refuses,
   * and then nothing has changed.
   */
  begin(plan: WorkerPlan, worker: number): void
  /** Resolves at the end of the present sleep; undefined while it is awake. */
  woken(): Promise<void> | undefined
  /** Ends the sleep, if it is asleep. Call it before the socket is closed. */
  end(): void
}

/** Sleep of a slot that is awake. `onWaiting` is called when a connection waits. */
export function createSlotSleep(
  { sockets, address }: { sockets: Pick<SlotSockets, 'watch'>; address: SlotAddress },
  onWaiting: () => void,
): SlotSleep {
  let cancel = () => {}
  let settle = () => {}
  let woken: Promise<void> | undefined

  return {
    begin(plan, worker) {
      const next = address.open(plan, worker)
      if (!next.socket) return
      let endWatch = () => {}
      try {
        endWatch = sockets.watch(next.socket, onWaiting)
        address.use(next)
      } catch (error) {
        endWatch()
        next.close()
        throw error
      }
      cancel = endWatch
      woken = new Promise(resolve => {
        settle = resolve
      })
    },
    woken: () => woken,
    end() {
      if (!woken) return
      woken = undefined
      cancel()
      settle()
    },
  }
}
