import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'

/** Resolver of host names. */
export interface Resolver {
  /** At least one address; rejects if there is none. */
  addressesOf(name: string): Promise<string[]>
  /** TTL of the addresses in ms, if known. */
  ttlOf(name: string): Promise<number | undefined>
}

/** Time that startup waits for names. Later results are reported through `onChange`. */
const firstLookupMs = 2000
const minTtlMs = 5000
/** Docker's DNS gives a TTL of ten minutes for containers, whose addresses may change at each start. */
const maxTtlMs = 10_000
/** Delay after a failed lookup, for example while other containers start. */
const retryMs = 2000

/** Addresses of names, which are re-resolved periodically. */
export interface NameLookups {
  /** Starts the lookups. Resolves when all names are known, or after two seconds. */
  start(): Promise<void>
  /** Looks up a name immediately. */
  lookUp(name: string): Promise<void>
  /** Addresses of the last successful lookup; empty before that. */
  addressesOf(name: string): readonly string[]
  /** Time since which lookups of a name fail, on the monotonic clock; undefined if the last one succeeded. */
  failingSince(name: string): number | undefined
  /** Addresses by name, from which the next instance continues. */
  snapshot(): ReadonlyMap<string, readonly string[]>
  stop(): void
}

/** Dependencies of the lookups. */
export interface NameLookupsDeps extends Pick<Runtime, 'clock' | 'log'> {
  resolver: Resolver
  /** Called when the addresses of a name changed. */
  onChange(): void
}

/** Lookups of `names`; `before` is the snapshot of a previous instance. */
export function createNameLookups(
  { clock, log, resolver, onChange }: NameLookupsDeps,
  names: readonly string[],
  before?: ReadonlyMap<string, readonly string[]>,
): NameLookups {
  const addresses = new Map(before)
  const failing = new Map<string, number>()
  const timers = new Map<string, () => void>()
  let cancelWait = () => {}
  let isStopped = false

  async function lookUp(name: string): Promise<void> {
    try {
      const found = [...(await resolver.addressesOf(name))].sort()
      const known = addresses.get(name)
      if (failing.delete(name)) log.info('server name resolves again', { name, addresses: found.join(',') })
      if (known?.join() === found.join()) return
      addresses.set(name, found)
      if (known) log.info('server addresses changed', { name, addresses: found.join(','), were: known.join(',') })
      onChange()
    } catch (error) {
      if (failing.has(name)) return
      failing.set(name, clock.monotonic())
      const consequence = addresses.has(name)
        ? 'its last addresses stay in use'
        : 'it gets no requests until it resolves'
      log.warn('cannot resolve server name', { name, error: messageOf(error), consequence })
    }
  }

  async function schedule(name: string): Promise<void> {
    const delayMs = await delayFor(name)
    if (isStopped) return
    timers.set(
      name,
      clock.after(delayMs, () => void lookUp(name).then(() => schedule(name))),
    )
  }

  async function delayFor(name: string): Promise<number> {
    if (failing.has(name)) return retryMs
    const ttlMs = (await resolver.ttlOf(name)) ?? maxTtlMs
    return Math.min(Math.max(ttlMs, minTtlMs), maxTtlMs)
  }

  async function start(): Promise<void> {
    const known = names.map(name => lookUp(name))
    const waited = new Promise<void>(resolve => {
      if (!isStopped) cancelWait = clock.after(firstLookupMs, resolve)
    })
    await Promise.race([Promise.all(known), waited])
    cancelWait()
    for (const [index, name] of names.entries()) void known[index]?.then(() => schedule(name))
  }

  return {
    start,
    lookUp,
    addressesOf: name => addresses.get(name) ?? [],
    failingSince: name => failing.get(name),
    snapshot: () => addresses,
    stop() {
      isStopped = true
      cancelWait()
      for (const cancel of timers.values()) cancel()
    },
  }
}
