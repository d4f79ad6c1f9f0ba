import { type Clock, pause } from '../../../supervisor/base/clock.ts'
import type {
  AcmeAuthorization,
  AcmeClient,
  AcmeOrder,
  AcmeStore,
  KeyMaker,
} from '../../../supervisor/certificates/acme/authority.ts'
import { AcmeError, type AcmeRecord, UnreachableError } from '../../../supervisor/certificates/acme/plan.ts'
import type { UsableCertificate } from '../../../supervisor/certificates/certificate.ts'

/** What the authority does to one call, in place of answering it as it should. */
export type Fault =
  | { kind: 'slow'; ms: number }
  /** It refuses, and nothing happens. */
  | { kind: 'refuses'; type: string; retryAfterMs?: number }
  /** The connection breaks before the request arrives. */
  | { kind: 'cut' }
  /** The request arrives, and its answer is lost. */
  | { kind: 'lost' }
  /** It shows an order or authorization in an earlier state. */
  | { kind: 'lies' }
  /** The order fails. */
  | { kind: 'invalidates' }
  /** It has forgotten the order. */
  | { kind: 'forgets' }

interface FakeOrder {
  name: string
  url: string
  isProved: boolean
  isFinal: boolean
  isInvalid: boolean
  key: string | undefined
  at: number
}

export interface FakeAuthority {
  client: AcmeClient
  /** The client of a process that ends with a signal: its requests end too, and their answers are lost. */
  clientUntil(signal: AbortSignal): AcmeClient
  /** Orders placed so far, with their times. */
  orders: FakeOrder[]
  /** Faults of the next calls for a name; `forever` for all after them. */
  faults: Map<string, Fault[]>
  forever: Map<string, Fault>
  /** Orders that no client can finish: their answer was lost, they failed, or they were forgotten. */
  lostOrders: Map<string, number>
  /** Every call, with its time and what went wrong with it. */
  calls: { name: string; at: number; fault: Fault | undefined }[]
}

const day = 86_400_000

/** An authority in memory, whose every call can be slowed, refused, cut off, or answered with a lie. */
export function createFakeAuthority(clock: Clock, host = ''): FakeAuthority {
  const orders: FakeOrder[] = []
  const faults = new Map<string, Fault[]>()
  const forever = new Map<string, Fault>()
  const lostOrders = new Map<string, number>()
  const calls: FakeAuthority['calls'] = []
  const count = (name: string) => lostOrders.set(name, (lostOrders.get(name) ?? 0) + 1)

  async function call<T>(name: string, act: () => T, lie: (value: T) => T, order?: FakeOrder): Promise<T> {
    await Promise.resolve()
    const fault = faults.get(name)?.shift() ?? forever.get(name)
    calls.push({ name, at: clock.now(), fault })
    if (fault?.kind === 'slow') await pause(clock, fault.ms)
    if (fault?.kind === 'refuses') throw new AcmeError(fault.type, fault)
    if (fault?.kind === 'cut') throw new UnreachableError('the connection broke')
    if (fault?.kind === 'invalidates' && order && !order.isInvalid && !order.isFinal) {
      order.isInvalid = true
      count(name)
    }
    if (fault?.kind === 'forgets' && order) {
      if (orders.includes(order) && !order.url.startsWith('gone')) count(name)
      order.url = `gone ${order.url}`
      throw new AcmeError('no such order', { type: 'malformed' })
    }
    const value = act()
    if (fault?.kind === 'lost') {
      if (!order) count(name)
      throw new UnreachableError('the answer was lost')
    }
    return fault?.kind === 'lies' ? lie(value) : value
  }

  function find(url: string): FakeOrder {
    const order = orders.find(each => each.url === url)
    if (!order) throw new AcmeError('no such order', { type: 'malformed' })
    return order
  }

  function shown({ name, url, isProved, isFinal, isInvalid }: FakeOrder): AcmeOrder {
    return {
      url,
      status: isInvalid ? 'invalid' : isFinal ? 'valid' : isProved ? 'ready' : 'pending',
      authorizations: [url],
      finalize: url,
      certificate: isFinal ? url : undefined,
      problem: isInvalid ? `${name} failed` : undefined,
      retryAfterMs: undefined,
    }
  }

  const earlier = (order: AcmeOrder): AcmeOrder => ({
    ...order,
    status: order.status === 'valid' ? 'processing' : 'pending',
    certificate: undefined,
  })

  const client: AcmeClient = {
    newOrder: ([name = '']) =>
      call(
        name,
        () => {
          const url = `${host}${name}#${orders.length}`
          const order = {
            name,
            url,
            isProved: false,
            isFinal: false,
            isInvalid: false,
            key: undefined,
            at: clock.now(),
          }
          orders.push(order)
          return shown(order)
        },
        order => order,
      ),
    async order(url) {
      const order = find(url)
      return call(order.name, () => shown(order), earlier, order)
    },
    async authorization(url) {
      const order = find(url)
      const status = () => (order.isInvalid ? 'invalid' : order.isProved ? 'valid' : 'pending')
      const read = (): AcmeAuthorization => ({
        status: status(),
        domain: order.name,
        challenges: [{ type: 'http-01', status: 'pending', url, token: url, problem: undefined }],
        retryAfterMs: undefined,
      })
      return call(order.name, read, found => ({ ...found, status: 'pending' as const }), order)
    },
    keyAuthorization: async token => `proof of ${token}`,
    async respond(url) {
      const order = find(url)
      await call(
        order.name,
        () => {
          order.isProved = true
        },
        nothing => nothing,
        order,
      )
    },
    async finalize({ url }, csr) {
      const order = find(url)
      return call(
        order.name,
        () => {
          if (!order.isProved) throw new AcmeError('not ready', { type: 'orderNotReady' })
          order.isFinal = true
          order.key = new TextDecoder().decode(csr)
          return shown(order)
        },
        earlier,
        order,
      )
    },
    async certificate(url) {
      const order = find(url)
      const { name, key } = order
      const text = () => JSON.stringify({ name, key, id: url, notBefore: order.at, notAfter: order.at + 90 * day })
      return call(name, text, same => same, order)
    },
    renewalInfo: async () => undefined,
    time: () => undefined,
  }
  function clientUntil(signal: AbortSignal): AcmeClient {
    const until = <T>(done: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        done.then(resolve, reject)
      })
    return {
      newOrder([name = '', ...names], options) {
        let isAnswered = false
        signal.addEventListener('abort', () => !isAnswered && count(name), { once: true })
        return until(client.newOrder([name, ...names], options)).finally(() => {
          isAnswered = true
        })
      },
      order: url => until(client.order(url)),
      authorization: url => until(client.authorization(url)),
      keyAuthorization: client.keyAuthorization,
      respond: url => until(client.respond(url)),
      finalize: (order, csr) => until(client.finalize(order, csr)),
      certificate: url => until(client.certificate(url)),
      renewalInfo: client.renewalInfo,
      time: client.time,
    }
  }
  return { client, clientUntil, orders, faults, forever, lostOrders, calls }
}

/** Keys whose request is the key itself, so that the authority can tell for which one it issues. */
export function createFakeKeys(): KeyMaker {
  let count = 0
  return {
    createKey: async () => `key ${++count}`,
    createRequest: key => new TextEncoder().encode(key),
    certificateId: chain => JSON.parse(chain).id,
  }
}

/** A state directory in memory, which outlives the services that use it. */
export function createFakeStore() {
  const records = new Map<string, string>()
  const certificates = new Map<string, UsableCertificate[]>()
  const pending = new Map<string, string>()
  const versions = new Map<string, number>()
  let saved = 0
  const store: AcmeStore = {
    record: name => (records.has(name) ? (JSON.parse(records.get(name) ?? '') as AcmeRecord) : undefined),
    saveRecord(name, record) {
      records.set(name, JSON.stringify(record))
      versions.set(name, ++saved)
    },
    version: name => (records.has(name) ? (versions.get(name) ?? 0) : 0),
    current(name, id) {
      const all = certificates.get(name) ?? []
      return all.find(({ certificate }) => certificate.id === id) ?? all[0]
    },
    save(name, { chain, key }, findDefect) {
      const facts = JSON.parse(chain) as { name: string; key: string; id: string; notBefore: number; notAfter: number }
      const usable = {
        files: { chain: '', key: '' },
        pem: { chain, key },
        certificate: { ...facts, names: [facts.name], keyMatches: facts.key === key },
      } as unknown as UsableCertificate
      const defect = findDefect(usable)
      if (defect !== undefined) throw new AcmeError(defect, { type: 'unusable' })
      certificates.set(name, [usable, ...(certificates.get(name) ?? [])])
      return usable
    },
    remove(name) {
      for (const map of [records, certificates, pending]) map.delete(name)
    },
    pendingKey: name => pending.get(name),
    savePendingKey: (name, key) => void (key === undefined ? pending.delete(name) : pending.set(name, key)),
  }
  return { store, names: () => [...new Set([...records.keys(), ...certificates.keys(), ...pending.keys()])] }
}
