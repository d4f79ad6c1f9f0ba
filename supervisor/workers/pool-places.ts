import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerSlot } from './slot.ts'
import type { SlotAddressDeps } from './slot-address.ts'
import { placePath, spreadPlaces } from './socket-paths.ts'
import type { UpstreamServer } from './upstream.ts'

/** The places of a pool in nginx's list: socket paths, each of which leads to a slot that serves. */
export interface PoolPlaces {
  /** Leads the places of slots that do not serve to those that do. */
  spread(): void
  /** `spread`, but what cannot be led elsewhere (a full disk) stays as it is, for nginx to pass over; the others serve on. */
  trySpread(): void
  /** The addresses in nginx's list that lead to a slot now. */
  leadingTo(slot: number): WorkerAddress[]
  /** nginx's list: as many places as the plan says, or one per slot of these where places cannot lead elsewhere. */
  servers(counted: readonly WorkerSlot[]): UpstreamServer[]
}

export interface PoolPlacesDeps extends SlotAddressDeps {
  log: Log
  plan: () => WorkerPlan
  slots: () => readonly WorkerSlot[]
}

export function createPoolPlaces({ sockets, runDir, log, plan, slots }: PoolPlacesDeps): PoolPlaces {
  /** The slot that each place leads to. */
  let leads = new Map<number, number>()

  const pathOf = (place: number) => placePath(runDir, plan().app, place)

  function addressOf(place: number): WorkerAddress {
    return { kind: 'unix', path: pathOf(place) }
  }

  function spread(): void {
    if (plan().listen === 'port') return
    const all = slots()
    const serving = all.filter(slot => slot.isInRotation()).map(({ number }) => number)
    const numbers = all.map(({ number }) => number)
    const next = spreadPlaces(Math.max(plan().places, all.length, leads.size), numbers, serving)
    for (const [place, support] of next) {
      if (place === support || leads.get(place) === support) continue
      const own = all.find(({ number }) => number === place)
      if (own) own.leanOn(addressOf(support))
      else sockets.point(pathOf(place), pathOf(support))
    }
    leads = next
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
    leadingTo: slot => [...leads].flatMap(([place, support]) => (support === slot ? addressOf(place) : [])),
    servers(counted) {
      if (plan().places === 0) return counted.map(slot => ({ slot: slot.number, address: slot.address() }))
      const places = counted.length === 0 ? 0 : Math.max(plan().places, slots().length)
      return Array.from({ length: places }, (_, index) => ({ slot: index + 1, address: addressOf(index + 1) }))
    },
  }
}
