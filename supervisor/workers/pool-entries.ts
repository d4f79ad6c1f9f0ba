import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'
import type { SlotAddressDeps } from './slot-address.ts'
import { socketPath, spreadEntries } from './socket-paths.ts'
import type { UpstreamServer } from './upstream.ts'

/** The places of a pool in nginx's list: socket paths, each of which leads to a slot that serves. */
export interface PoolEntries {
  /** Leads the places of slots that do not serve to those that do. */
  spread(): void
  /** `spread`, but what cannot be led elsewhere (a full disk) stays as it is, for nginx to pass over; the others serve on. */
  trySpread(): void
  /** The addresses in nginx's list that lead to a slot now. */
  leadingTo(slot: number): WorkerAddress[]
  /** nginx's list: as many places as the plan says, or one per slot of these where places cannot lead elsewhere. */
  servers(counted: readonly WorkerSlot[]): UpstreamServer[]
}

export interface PoolEntriesDeps extends SlotAddressDeps {
  log: Log
  plan: () => WorkerPlan
  slots: () => readonly WorkerSlot[]
}

export function createPoolEntries({ sockets, runDir, log, plan, slots }: PoolEntriesDeps): PoolEntries {
  /** The slot that each place leads to. */
  let targetOf = new Map<number, number>()

  const pathOf = (entry: number) => socketPath(runDir, plan().app, entry)

  function addressOf(entry: number): WorkerAddress {
    return { kind: 'unix', path: pathOf(entry) }
  }

  function spread(): void {
    if (plan().listen === 'port') return
    const all = slots()
    const serving = all.filter(slot => slot.isInRotation()).map(({ number }) => number)
    const numbers = all.map(({ number }) => number)
    const next = spreadEntries(Math.max(plan().entries, all.length, targetOf.size), numbers, serving)
    for (const [entry, target] of next) {
      if (entry === target || targetOf.get(entry) === target) continue
      const own = all.find(({ number }) => number === entry)
      if (own) own.redirectTo(addressOf(target))
      else sockets.point(pathOf(entry), pathOf(target))
    }
    targetOf = next
  }

  return {
    spread,
    trySpread() {
      try {
        spread()
      } catch (error) {
        log.error('cannot lead requests past a withdrawn worker', {
          app: plan().app,
          reason: messageOf(error),
          fix: 'make room in run_dir',
        })
      }
    },
    leadingTo: slot => [...targetOf].flatMap(([entry, target]) => (target === slot ? addressOf(entry) : [])),
    servers(counted) {
      if (plan().entries === 0) return counted.map(slot => ({ slot: slot.number, address: slot.address() }))
      const entries = counted.length === 0 ? 0 : Math.max(plan().entries, slots().length)
      return Array.from({ length: entries }, (_, index) => ({ slot: index + 1, address: addressOf(index + 1) }))
    },
  }
}
