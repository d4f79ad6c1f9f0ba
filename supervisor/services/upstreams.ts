import { formatAddress } from '../base/address.ts'
import { messageOf } from '../base/errors.ts'
import { isName, tlsName } from '../config/upstream-names.ts'
import type { ExternalServer, UpstreamConfig } from '../config/upstreams.ts'
import type { NginxUpstream } from '../domain/nginx-model.ts'
import type { Resolver, Surroundings, UpstreamProbe } from '../domain/ports.ts'
import { noteCheck, type ServerHealth, serversInUse, unchecked } from '../domain/upstream-health.ts'
import { describeHealth, describeMissing, type UpstreamServerStatus } from '../domain/upstream-status.ts'

/** A start does not wait longer for names; what is found later is told then. */
const firstLookupMs = 2000
const shortestTtlMs = 5000
/** Docker says ten minutes for containers, whose addresses may change with each start. */
const longestTtlMs = 10_000
/** For a name that leads nowhere, as while other containers start. */
const retryMs = 2000
/** Changes within this time are told together: each is a reload of nginx. */
const batchMs = 200

/** The servers of upstreams: what their names lead to now, and which of them are up. */
export interface Upstreams {
  /** Begins to look up and to check; settles when the names are known, or a start should not wait longer for them. */
  start(): Promise<void>
  serversOf(upstream: string): NginxUpstream['servers']
  status(): UpstreamServerStatus[]
  /** What was found out so far, for a successor. */
  memory(): Memory
  stop(): void
}

export interface UpstreamsDeps extends Pick<Surroundings, 'clock' | 'log'> {
  resolver: Resolver
  probe: UpstreamProbe
  /** The servers of some upstream are others now. */
  onChange(): void
}

interface Memory {
  /** By name. */
  addresses: Map<string, readonly string[]>
  /** By upstream and address. */
  health: Map<string, ServerHealth>
}

/** A server at one of its addresses. */
interface Place {
  server: ExternalServer
  address: string
  key: string
}

export function createUpstreams(
  deps: UpstreamsDeps,
  configs: Readonly<Record<string, UpstreamConfig>>,
  before?: Memory,
): Upstreams {
  const { clock, log, resolver, probe } = deps
  const addresses = new Map(before?.addresses)
  const health = new Map<string, ServerHealth>()
  const timers = new Map<string, () => void>()
  /** Names that could not be looked up, and since when. */
  const failing = new Map<string, number>()
  let isStopped = false
  // without checks, nothing would bring one back that is down
  for (const [name, config] of Object.entries(configs))
    if (config.health) for (const { key } of placesOf(name)) health.set(key, before?.health.get(key) ?? unchecked)

  function later(what: string, delayMs: number, act: () => void): void {
    if (isStopped) return
    timers.get(what)?.()
    timers.set(what, clock.after(delayMs, act))
  }

  function changed(): void {
    if (!timers.has('tell'))
      later('tell', batchMs, () => {
        timers.delete('tell')
        deps.onChange()
      })
  }

  function placesOf(name: string): Place[] {
    return (configs[name]?.servers ?? []).flatMap(server => {
      const found = isName(server.host) ? (addresses.get(server.host) ?? []) : [server.host]
      return found.map(address => ({ server, address, key: `${name} ${formatAddress(address, server.port)}` }))
    })
  }

  const isUp = ({ key }: Place) => (health.get(key) ?? unchecked).isUp

  function statusOf(upstream: string, { servers, health: policy }: UpstreamConfig): UpstreamServerStatus[] {
    const now = clock.monotonic()
    const textOf = ({ host, port }: ExternalServer) => formatAddress(host, port)
    const places = placesOf(upstream)
    const inUse = serversInUse(places, isUp)
    const missing = servers.filter(server => places.every(place => place.server !== server))
    return [
      ...places.map(place => ({
        upstream,
        server: textOf(place.server),
        address: place.key.slice(upstream.length + 1),
        isInRotation: inUse.includes(place),
        ...describeHealth((policy && health.get(place.key)) ?? unchecked, now),
      })),
      ...missing.map(server => ({
        upstream,
        server: textOf(server),
        address: undefined,
        isInRotation: false,
        ...describeMissing(failing.get(server.host), now),
      })),
    ]
  }

  async function lookUp(name: string): Promise<void> {
    try {
      const found = [...(await resolver.addressesOf(name))].sort()
      const known = addresses.get(name)
      if (failing.delete(name)) log.info('a server is found again', { name, addresses: found.join(',') })
      if (known?.join() === found.join()) return
      addresses.set(name, found)
      if (known) log.info('a server has other addresses', { name, addresses: found.join(','), were: known.join(',') })
      changed()
    } catch (error) {
      if (failing.has(name)) return
      failing.set(name, clock.monotonic())
      const consequence = addresses.has(name) ? 'its last addresses stay' : 'it gets no requests until it is found'
      log.warn('cannot look up a server', { name, error: messageOf(error), consequence })
    }
  }

  async function scheduleLookUp(name: string): Promise<void> {
    const ttlMs = failing.has(name) ? undefined : ((await resolver.ttlOf(name)) ?? longestTtlMs)
    const delayMs = ttlMs === undefined ? retryMs : Math.min(Math.max(ttlMs, shortestTtlMs), longestTtlMs)
    later(`name ${name}`, delayMs, () => {
      void lookUp(name).then(() => scheduleLookUp(name))
    })
  }

  async function check(name: string, config: UpstreamConfig): Promise<void> {
    const { health: policy, tls, host } = config
    if (!policy) return
    const places = placesOf(name)
    const results = await Promise.all(
      places.map(({ server, address }) =>
        probe.complaintOf({
          address,
          port: server.port,
          path: policy.path,
          host: host ?? server.host,
          tls: tls && { ...tls, name: tlsName(config) },
          timeoutMs: policy.timeout,
        }),
      ),
    )
    if (isStopped) return
    // it may be elsewhere by now, long before its name no longer holds: a container that came back
    const ill = places.flatMap(({ server }, index) => (results[index] && isName(server.host) ? server.host : []))
    for (const host of new Set(ill)) void lookUp(host)
    const wasAnyUp = places.some(isUp)
    const present = new Set(placesOf(name).map(({ key }) => key))
    for (const key of health.keys()) if (key.startsWith(`${name} `) && !present.has(key)) health.delete(key)
    for (const [index, place] of places.entries()) {
      if (!present.has(place.key)) continue
      const was = health.get(place.key) ?? unchecked
      const now = noteCheck(was, { complaint: results[index], at: clock.monotonic() }, policy)
      health.set(place.key, now)
      if (now.isUp === was.isUp) continue
      const fields = { upstream: name, server: place.key.slice(name.length + 1) }
      if (now.isUp) log.info('a server is well again', fields)
      else log.warn('a server fails its checks', { ...fields, reason: results[index] })
      changed()
    }
    if (wasAnyUp && places.length > 0 && !places.some(isUp))
      log.error('every server of an upstream fails its checks, requests go to all of them', { upstream: name })
    later(`check ${name}`, policy.interval, () => void check(name, config))
  }

  return {
    async start() {
      const names = new Set(
        Object.values(configs).flatMap(({ servers }) => servers.map(({ host }) => host).filter(isName)),
      )
      const known = [...names].map(name => lookUp(name))
      await Promise.race([
        Promise.all(known),
        new Promise<void>(resolve => later('first lookup', firstLookupMs, resolve)),
      ])
      timers.get('first lookup')?.()
      // what was found by now is told by whoever started it
      timers.get('tell')?.()
      timers.delete('tell')
      for (const [index, name] of [...names].entries()) void known[index]?.then(() => scheduleLookUp(name))
      for (const [name, config] of Object.entries(configs)) void check(name, config)
    },
    serversOf: name =>
      serversInUse(placesOf(name), isUp).map(({ server: { weight, isBackup }, key }) => ({
        address: key.slice(name.length + 1),
        weight,
        isBackup,
      })),
    status: () => Object.entries(configs).flatMap(([name, config]) => statusOf(name, config)),
    memory: () => ({ addresses, health }),
    stop() {
      isStopped = true
      for (const cancel of timers.values()) cancel()
    },
  }
}
