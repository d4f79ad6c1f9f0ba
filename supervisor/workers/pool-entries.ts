import type { Clock } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { WorkerAddress } from './address.ts'
import type { WorkerEntry } from './app-upstream.ts'
import type { WorkerPlan } from './plan.ts'
import type { SlotAddressDeps } from './slot-address.ts'
import { socketPath, spreadEntries } from './socket-paths.ts'
import type { WorkerSlot } from './worker-slot.ts'

const retryMs = 2000

/** Entries of a pool in nginx's upstream: socket paths, each of which leads to a serving slot. */
export interface PoolEntries {
  /** Redirects the entries of slots that do not serve to slots that do. Throws if that fails for one. */
  spread(): void
  /** Like `spread`, but a failure (a full disk) is logged and retried: nginx skips entries without a socket. */
  trySpread(): void
  /** Ends all redirections: the pool stops. */
  end(): void
  /** Addresses of the entries that lead to a slot now. */
  leadingTo(slot: number): WorkerAddress[]
  /** All entries: the plan's number of them, or one per slot in `counted` if entries cannot be redirected: a port belongs to one worker. */
  servers(counted: readonly WorkerSlot[]): WorkerEntry[]
}

/** Dependencies of the entries. */
export interface PoolEntriesDeps extends SlotAddressDeps {
  clock: Clock
  log: Log
  plan: () => WorkerPlan
  slots: () => readonly WorkerSlot[]
}

/** Entries of one pool. */
export function createPoolEntries({ sockets, runDir, clock, log, plan, slots }: PoolEntriesDeps): PoolEntries {
  /** The slot that each entry leads to. */
  const targetOf = new Map<number, number>()
  let isFailing = false
  let isEnded = false
  let cancelRetry = () => {}

  const pathOf = (entry: number) => socketPath(runDir, plan().app, entry)

  function addressOf(entry: number): WorkerAddress {
    return { kind: 'unix', path: pathOf(entry) }
  }

  function spread(): void {
    if (plan().listen === 'port') return
    const all = slots()
    const serving = all.filter(slot => slot.isInRotation()).map(({ number }) => number)
    const numbers = all.map(({ number }) => number)
    const entries = Math.max(plan().entries, all.length, targetOf.size)
    const next = spreadEntries(entries, { slots: numbers, serving, present: targetOf })
    const failures: unknown[] = []
    for (const [entry, target] of next) {
      try {
        pointEntry(entry, target)
        targetOf.set(entry, target)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  function pointEntry(entry: number, target: number): void {
    const own = slots().find(({ number }) => number === entry)
    if (own && entry === target) own.endRedirect()
    else if (own) own.redirectTo(addressOf(target))
    else if (targetOf.get(entry) !== target) sockets.point(pathOf(entry), pathOf(target))
  }

  function trySpread(): void {
    cancelRetry()
    if (isEnded) return
    try {
      spread()
      isFailing = false
    } catch (error) {
      if (!isFailing)
        log.error('cannot redirect requests between workers', {
          app: plan().app,
          reason: reasonOf(error),
          fix: 'free space in run_dir',
        })
      isFailing = true
      cancelRetry = clock.after(retryMs, trySpread)
    }
  }

  return {
    spread,
    trySpread,
    end() {
      isEnded = true
      cancelRetry()
    },
    leadingTo: slot => [...targetOf].flatMap(([entry, target]) => (target === slot ? addressOf(entry) : [])),
    servers(counted) {
      // while a roll changes how workers listen, some have a port
      const isMixed = counted.some(slot => slot.address().kind === 'tcp')
      if (plan().entries === 0 || isMixed) return counted.map(slot => ({ slot: slot.number, address: slot.address() }))
      const entries = counted.length === 0 ? 0 : Math.max(plan().entries, slots().length)
      return Array.from({ length: entries }, (_, index) => ({ slot: index + 1, address: addressOf(index + 1) }))
    },
  }
}
