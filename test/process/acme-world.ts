import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Clock } from '../../supervisor/base/clock.ts'
import type { Log } from '../../supervisor/base/log.ts'
import { createAccountStore } from '../../supervisor/certificates/acme/adapters/account.ts'
import { createAcmeClient } from '../../supervisor/certificates/acme/adapters/client.ts'
import { keyMaker } from '../../supervisor/certificates/acme/adapters/key-maker.ts'
import { createAcmeStore } from '../../supervisor/certificates/acme/adapters/store.ts'
import type { AcmeClient } from '../../supervisor/certificates/acme/authority.ts'
import type { AcmePlan, AcmeSettings } from '../../supervisor/certificates/acme/plan.ts'
import { type Acme, createAcme } from '../../supervisor/certificates/acme/service.ts'
import { createTurns } from '../../supervisor/certificates/acme/turns.ts'
import type { Authority } from './acme-authority.ts'
import { type CaFault, createFaultyCa } from './acme-faults.ts'
import { defer, temporaryFolder } from './monohull.ts'

/** The challenges of all worlds, on the port that Pebble asks. */
export async function serveChallenges(t: TestContext, { env }: Authority): Promise<Map<string, string>> {
  const published = new Map<string, string>()
  const server = http.createServer((request, response) => {
    response.end(published.get(request.url?.split('/').at(-1) ?? '') ?? '')
  })
  server.listen(Number(env.MONOHULL_HTTP_PORT), '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return published
}

/**
 * ACME of a monohull, in this process, with a CA that misbehaves in front of Pebble. Its clock stands still while a request is
 * under way, and otherwise jumps to the next timer.
 */
export function createWorld(t: TestContext, authority: Authority, published: Map<string, string>, names: string[]) {
  const folder = temporaryFolder(t)
  const faults = new Map<string, CaFault[]>()
  const forever = new Map<string, CaFault>()
  const orders: { name: string; at: number }[] = []
  const served = new Map<string, string>()
  const lines: string[] = []
  const store = createAcmeStore(join(folder, 'certificates'))
  const timers = new Set<{ at: number; callback: () => void }>()
  const begun = Date.now()
  let now = 0
  let busy = 0
  const clock: Clock = {
    now: () => begun + now,
    monotonic: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const write = (message: string, fields?: object) => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  const log: Log = { debug: write, info: write, warn: write, error: write }

  /** Counts what is under way outside of the clock. */
  async function counted<T>(act: () => Promise<T>): Promise<T> {
    busy++
    try {
      return await act()
    } finally {
      busy--
    }
  }

  authority.behaviour.tamper = createFaultyCa({
    keyOf: name => store.pendingKey(name),
    next(name, step) {
      if (step === 'order-plz') orders.push({ name, at: now })
      return faults.get(name)?.shift() ?? forever.get(name) ?? { kind: 'none' }
    },
    async wait(ms) {
      busy--
      await new Promise<void>(resolve => clock.after(ms, resolve))
      busy++
    },
  })

  let ending = new AbortController()
  let acme = begin()

  function begin(): Acme {
    const { signal } = ending
    const settings = {
      directory: authority.env.MONOHULL_TLS_ACME_DIRECTORY ?? '',
      keyType: 'ecdsa',
      challenge: 'http-01',
      plans: names.map((name): AcmePlan => ({ name, domains: [name] })),
    } as unknown as AcmeSettings
    const client = createAcmeClient({
      ...{ settings, log, signal, now: clock.now, onTime: () => {} },
      ca: readFileSync(authority.env.MONOHULL_TLS_ACME_CA_FILE ?? '', 'utf8'),
      account: createAccountStore(join(folder, 'accounts'), settings.directory, { keys: keyMaker, clock, log }),
    })
    const { time, ...calls } = client
    const watched = Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [
        name,
        (...values: never[]) => counted(() => (call as (...values: never[]) => Promise<unknown>)(...values)),
      ]),
    ) as unknown as AcmeClient
    return createAcme({
      client: { ...watched, time },
      solver: {
        type: 'http-01',
        present: async (_domain, token, proof) => void published.set(token, proof),
        remove: async (_domain, token) => void published.delete(token),
      },
      keys: { ...keyMaker, createKey: type => counted(() => keyMaker.createKey(type)) },
      peers: { exist: () => false, claim: () => ({ release() {} }) },
      turns: createTurns({ clock, places: 4, patienceMs: 2000 }),
      random: () => 0,
      preflight: async () => undefined,
      isCovered: () => false,
      async serve({ name }, { certificate }) {
        served.set(name, certificate.id)
        return { ok: true, message: '' }
      },
      ...{ store, clock, log, settings, signal },
    })
  }

  /** Settles when nothing is under way but what waits for the clock. */
  async function settled(): Promise<void> {
    do {
      for (let turn = 0; turn < 4; turn++) await new Promise(resolve => setImmediate(resolve))
      if (busy > 0) await new Promise(resolve => setTimeout(resolve, 2))
    } while (busy > 0)
  }

  async function advanceTo(end: number): Promise<void> {
    for (;;) {
      await settled()
      const [timer] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
      if (!timer) break
      timers.delete(timer)
      now = Math.max(now, timer.at)
      timer.callback()
    }
    now = end
  }

  /** Moves time on, with a tick every ten seconds, or at the next step of a name if that is later. */
  async function advance(ms: number): Promise<void> {
    const end = now + ms
    while (now < end) {
      void acme.tick()
      await settled()
      const next = Math.min(...acme.status().map(({ nextAt }) => (nextAt ?? Number.POSITIVE_INFINITY) - begun))
      await advanceTo(Math.min(end, Math.max(now + 10_000, timers.size > 0 ? 0 : next)))
    }
  }

  return {
    ...{ faults, forever, orders, served, lines, store, folder, advance },
    acme: () => acme,
    tick: () => void acme.tick(),
    /** As a kill and a start. */
    restart() {
      ending.abort()
      ending = new AbortController()
      acme = begin()
    },
    async close() {
      ending.abort()
      await settled()
    },
  }
}
