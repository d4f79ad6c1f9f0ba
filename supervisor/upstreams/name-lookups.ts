import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'

/** Looks up names. */
export interface Resolver {
  /** At least one; rejects when there is none. */
  addressesOf(name: string): Promise<string[]>
  /** How long they hold, where that is known. */
  ttlOf(name: string): Promise<number | undefined>
}

/** A start does not wait longer for names; what is found later is told then. */
const firstLookupMs = 2000
const minTtlMs = 5000
/** Docker says ten minutes for containers, whose addresses may change with each start. */
const maxTtlMs = 10_000
/** For a name that leads nowhere, as while other containers start. */
const retryMs = 2000

/** The addresses that names lead to, looked up again and again. */
export interface NameLookups {
  /** Begins; settles when all names are known, or a start should not wait longer for them. */
  start(): Promise<void>
  /** Looks a name up out of turn. */
  lookUp(name: string): Promise<void>
  /** The addresses found last; none while there are none. */
  addressesOf(name: string): readonly string[]
  /** Since when a name cannot be looked up, on the monotonic clock. */
  failingSince(name: string): number | undefined
  /** What was found out so far, for a successor. */
  snapshot(): ReadonlyMap<string, readonly string[]>
  stop(): void
}

export interface NameLookupsDeps extends Pick<Runtime, 'clock' | 'log'> {
  resolver: Resolver
  /** A name leads elsewhere now. */
  onChange(): void
}

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
      if (failing.delete(name)) log.info('a server is found again', { name, addresses: found.join(',') })
      if (known?.join() === found.join()) return
      addresses.set(name, found)
      if (known) log.info('a server has other addresses', { name, addresses: found.join(','), were: known.join(',') })
      onChange()
    } catch (error) {
      if (failing.has(name)) return
      failing.set(name, clock.monotonic())
      const consequence = addresses.has(name) ? 'its last addresses stay' : 'it gets no requests until it is found'
      log.warn('cannot look up a server', { name, error: messageOf(error), consequence })
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
