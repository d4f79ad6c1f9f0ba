import type { Log } from '../../../supervisor/base/log.ts'
import type { AcmePlan, AcmeSettings } from '../../../supervisor/certificates/acme/plan.ts'
import { type Acme, createAcme } from '../../../supervisor/certificates/acme/service.ts'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { createHandClock } from '../hand-clock.ts'
import { createFakeAuthority, createFakeKeys, createFakeStore } from './fake-authority.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
const quiet = () => {}
const none = { caFile: undefined, email: undefined, profile: undefined, eab: undefined }

/** An authority with faults, a state directory, and a service that can be restarted at any moment. */
export function setUp(names: readonly string[] = [], { isOnDemand = false, hasFallback = false } = {}) {
  const { clock, advance: advanceOnce } = createHandClock()
  const authority = createFakeAuthority(clock)
  const fallback = createFakeAuthority(clock, 'other ')
  const lines: string[] = []
  /** Failed attempts: the number of calls before them, and the failures in a row. */
  const failures: { name: string; at: number; calls: number; inRow: number }[] = []
  function write(message: string, { names, retry_in }: { names?: string; retry_in?: string } = {}): void {
    lines.push(message)
    if (!names || !retry_in) return
    const inRow = store.record(names)?.failures ?? 0
    failures.push({ name: names, at: clock.now(), calls: authority.calls.length, inRow })
  }
  const log: Log = { debug: quiet, info: quiet, error: write, warn: write }
  const { store, names: stored } = createFakeStore()
  const served = new Map<string, string>()
  const published = new Set<string>()
  const keys = createFakeKeys()
  let ending = new AbortController()
  let acme = begin()
  let sinceTick = 0

  function begin(): Acme {
    const all = isOnDemand ? stored() : names
    const settings: AcmeSettings = {
      directory: 'https://ca.test/dir',
      caFile: undefined,
      email: undefined,
      profile: undefined,
      fallback: hasFallback ? { ...none, directory: 'https://other.test/dir' } : undefined,
      preferredChain: undefined,
      eab: undefined,
      keyType: 'ecdsa',
      challenge: 'http-01',
      dnsHook: undefined,
      plans: all.map((name): AcmePlan => ({ name, domains: [name] })),
    }
    const { signal } = ending
    /** A process that was killed does nothing more. */
    const alive =
      <T extends unknown[]>(act: (...given: T) => void) =>
      (...given: T) =>
        signal.aborted ? undefined : act(...given)
    return createAcme({
      client: authority.clientUntil(signal),
      fallback: hasFallback ? fallback.clientUntil(signal) : undefined,
      solver: {
        type: 'http-01',
        present: async (_domain, token) => alive(() => published.add(token))(),
        remove: async (_domain, token) => alive(() => published.delete(token))(),
      },
      keys,
      store: {
        ...store,
        saveRecord: alive(store.saveRecord),
        savePendingKey: alive(store.savePendingKey),
        remove: alive(store.remove),
      },
      peers: { exist: () => false, claim: () => ({ release() {} }) },
      clock,
      log,
      settings,
      signal,
      turns: createTurns({ clock, places: 4, patienceMs: 2 * second }),
      random: () => 0,
      preflight: async () => undefined,
      isCovered: () => false,
      async serve({ name }, { certificate }) {
        served.set(name, certificate.id)
        return { ok: true, message: '' }
      },
      ...(isOnDemand ? { isStillWanted: async () => true } : {}),
    })
  }

  /** Moves time on, with a tick every ten seconds; every hour if that is long. */
  async function advance(ms: number): Promise<void> {
    const everyMs = ms > 6 * hour ? hour : 10 * second
    for (let left = ms; left > 0; ) {
      const part = Math.min(left, Math.max(everyMs - sinceTick, 1))
      await advanceOnce(part)
      left -= part
      sinceTick += part
      if (sinceTick < everyMs) continue
      sinceTick = 0
      void acme.tick()
    }
  }

  return {
    ...{ clock, lines, failures, authority, fallback, store, served, published, advance, stored },
    acme: () => acme,
    tick: () => void acme.tick(),
    /** As a kill and a start, perhaps without the fallback that it had. */
    restart(keepsFallback = hasFallback) {
      hasFallback = keepsFallback
      ending.abort()
      ending = new AbortController()
      acme = begin()
      sinceTick = 0
      void acme.tick()
    },
    ordersOf: (name: string) => authority.orders.filter(order => order.name === name),
  }
}
