import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'
import type { SlotAddressDeps } from './slot-address.ts'
import { socketPath, spreadEntries } from './socket-paths.ts'
import type { UpstreamServer } from './upstream.ts'

/** Entries of a pool in nginx's upstream: socket paths, each of which leads to a serving slot. */
export interface PoolEntries {
  /** Redirects the entries of slots that do not serve to slots that do. */
  spread(): void
  /** Like `spread`, but a failure (a full disk) is only logged: nginx skips entries without a socket. */
  trySpread(): void
  /** Addresses of the entries that lead to a slot now. */
  leadingTo(slot: number): WorkerAddress[]
  /** All entries: the plan's number of them, or one per slot in `counted` if entries cannot be redirected. */
  servers(counted: readonly WorkerSlot[]): UpstreamServer[]
}

/** Dependencies of the entries. */
export interface PoolEntriesDeps extends SlotAddressDeps {
  log: Log
  plan: () => WorkerPlan
  slots: () => readonly WorkerSlot[]
}

/** Entries of one pool. */
export function createPoolEntries({ sockets, runDir, log, plan, slots }: PoolEntriesDeps): PoolEntries {
  /** The slot that each entry leads to. */
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
        log.error('cannot route requests around a withdrawn worker', {
          app: plan().app,
          reason: messageOf(error),
          fix: 'free space in run_dir',
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
