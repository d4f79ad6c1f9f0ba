import { inBatches } from '../../base/batches.ts'
import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import { createRedisConnection, type StorePurpose } from '../../shared-state/redis/connection.ts'
import type { OpenLink, RedisLink } from '../../shared-state/redis/link.ts'
import { matchesPattern } from '../pattern.ts'
import type { DynamicRoute } from '../route.ts'
import { isWildcard } from '../route-host.ts'
import type { FoundRoute, InspectedRoute, OnRoutesChange, RouteStore } from '../store.ts'
import { createChangedKeys } from './changed-keys.ts'
import { createExpiry } from './expiry.ts'
import { createForgetting } from './forgetting.ts'
import { type KeyContent, readKey, readValue } from './key-reader.ts'
import { writeKey } from './key-writer.ts'
import { createKnownNames, type KnownNamesLimits } from './known-names.ts'
import { createLoss } from './loss.ts'
import { createMisnamedKeys } from './misnamed-keys.ts'
import { createRejections } from './rejections.ts'
import { isRouteName, scanNames } from './scan.ts'
import { createTraefikIndex } from './traefik-index.ts'

/** Dependencies of the store. */
export interface RedisRoutesDeps extends Runtime {
  open: OpenLink
  /** Address of the store, for the log, without a password. */
  address: string
  /** Text before the name in each key. */
  prefix: string
  /** Time for which hosts that nginx knows are served although the store has lost them. */
  staleForMs: number
  /** Names whose changes are followed. nginx forgets those beyond. */
  limits: KnownNamesLimits
  onChange: OnRoutesChange
}

/** Store in Redis. */
export interface RedisRoutes extends RouteStore {
  close(): Promise<void>
}

/** Time between two readings of all known names, where the server reports no changes, or not all: notifications say nothing of FLUSHALL. */
const rereadMs = { tracking: undefined, notifications: 30_000, polling: 5000 }
const atOnce = 500
const purpose: StorePurpose = {
  connected: 'reading dynamic routes from Redis',
  failed: 'cannot read dynamic routes from Redis',
  section: 'dynamic_routes',
  urlKey: 'store',
  guide: 'docs/guide/dynamic-routes.md',
}

/**
 * Store in Redis, with a key per host or wildcard. Nothing is kept of routes that nginx did not ask for, except in Traefik's layout. Changes of keys
 * are sent to nginx as the server reports them. After a lost connection, all names that nginx knows are read again.
 */
export function createRedisRoutes(deps: RedisRoutesDeps): RedisRoutes {
  const { clock, log, prefix, onChange } = deps
  const keyOf = (name: string) => prefix + name
  const rejections = createRejections(log)
  const known = createKnownNames(clock.monotonic, deps.limits)
  const traefik = createTraefikIndex(prefix, rejections)
  const misnamed = createMisnamedKeys(prefix, rejections, clock)
  const loss = createLoss({ ...deps, onEnd: rereadAll })
  let cancelReread = () => {}

  const changed = createChangedKeys({
    clock,
    send,
    onFailure(error) {
      if (connection.problem() === undefined)
        log.warn('cannot update changed routes in nginx, trying again', { reason: messageOf(error) })
    },
  })
  const expiry = createExpiry({ clock, known, onExpired: names => changed.add(names.map(keyOf)) })
  const forgetting = createForgetting({
    clock,
    known,
    async send(names) {
      const problem = connection.problem() ?? loss.reason()
      // nginx could not ask again
      if (problem !== undefined) throw new Error(problem)
      await onChange(new Map(names.map(name => [name, undefined])))
      for (const name of names) rejections.clear(keyOf(name))
    },
  })
  const connection = createRedisConnection({
    ...deps,
    purpose,
    store: deps.address,
    onUp,
    onDown() {
      loss.noteDown()
      cancelReread()
    },
    onChange(key) {
      if (key === undefined) {
        loss.end()
        rereadAll()
      } else if (traefik.has(key) || isFollowed(key.slice(prefix.length))) changed.add([key])
    },
  })

  async function onUp(link: RedisLink): Promise<void> {
    await traefik.load(link.call)
    await loss.noteUp(link, known.routeCount() > 0)
    rereadAll()
    rereadEvery(rereadMs[link.channel])
  }

  const isFollowed = (name: string) => known.mayKnow(name) || misnamed.isDue(name)

  function rereadAll(): void {
    changed.add([...known.names().map(keyOf), ...traefik.keys(), ...rejections.keys()])
  }

  function rereadEvery(ms: number | undefined): void {
    if (ms === undefined) return
    cancelReread = clock.after(ms, () => {
      rereadAll()
      rereadEvery(ms)
    })
  }

  /** Reads changed keys, and sends nginx the routes that depend on them. */
  async function send(keys: readonly string[]): Promise<void> {
    const hosts = await traefik.update(connection.call, keys.filter(traefik.has))
    const names = keys.filter(key => !traefik.has(key)).map(key => key.slice(prefix.length))
    await misnamed.report(connection.call, names.filter(misnamed.isSuspect))
    const all = new Set([...names.filter(isRouteName), ...hosts.filter(known.mayKnow)])
    const routes = await readNames([...all])
    // also those that had no route: an answer with an earlier one may be on its way to nginx, which then drops it
    const changes = [...routes].filter(([name, route]) => route || !isKept(name))
    if (changes.length > 0) await onChange(new Map(changes))
  }

  /** Whether a route stays in effect without a key. */
  function isKept(name: string): boolean {
    return loss.reason() !== undefined && known.hasRoute(name) && !loss.hadKey(name)
  }

  /** Routes by name, noted as known. */
  async function readNames(names: readonly string[]): Promise<Map<string, DynamicRoute | undefined>> {
    noteEarly(names)
    const contents = await Promise.all(names.map(name => readKey(connection.call, keyOf(name))))
    const routes = new Map<string, DynamicRoute | undefined>()
    for (const [index, name] of names.entries()) {
      const content = contents[index]
      const route = content && accept(name, content)
      routes.set(name, route)
      if (route) loss.noteKey(name)
      if (route || !isKept(name)) known.note(name, route !== undefined, content?.remainingMs)
    }
    expiry.schedule()
    forgetting.schedule()
    return routes
  }

  /** Notes names before they are read: a change may be reported in the same packet as the reply. */
  function noteEarly(names: readonly string[]): void {
    for (const name of names) if (!known.mayKnow(name)) known.note(name, false)
  }

  function accept(name: string, { route, text }: KeyContent): DynamicRoute | undefined {
    if (route === undefined || route.ok) rejections.clear(keyOf(name))
    else rejections.note(keyOf(name), text, `${route.problem}; ${route.fix}`)
    return route?.ok ? route.value : traefik.find(name)
  }

  /** Whether any of some names may have a route. */
  async function mayExist(names: readonly string[]): Promise<boolean> {
    if (names.length === 0) return false
    noteEarly(names)
    return Number(await connection.call(['EXISTS', ...names.map(keyOf)])) > 0 || names.some(traefik.find)
  }

  /** Routes of names as they are stored, without effect on what is known. */
  async function peek(names: readonly string[]): Promise<Map<string, DynamicRoute>> {
    const routes = new Map<string, DynamicRoute>()
    for (const batch of inBatches([...names], atOnce)) {
      const contents = await Promise.all(batch.map(name => readValue(connection.call, keyOf(name))))
      for (const [index, name] of batch.entries()) {
        const content = contents[index]?.route
        const route = content?.ok ? content.value : traefik.find(name)
        if (route) routes.set(name, route)
      }
    }
    return routes
  }

  async function find(names: readonly string[]): Promise<FoundRoute | undefined> {
    const [own, wildcards] = [names.filter(name => !isWildcard(name)), names.filter(isWildcard)]
    const [first, hasMore] = await Promise.all([readNames(own), mayExist(wildcards)])
    const routes = hasMore ? new Map([...first, ...(await readNames(wildcards))]) : first
    for (const name of names) {
      const route = routes.get(name)
      if (route) return { name, route }
    }
    const reason = loss.reason()
    if (reason !== undefined) throw new Error(reason)
    return undefined
  }

  async function inspect(names: readonly string[]): Promise<InspectedRoute | undefined> {
    const routes = await peek(names)
    const name = names.find(one => routes.has(one))
    const route = name === undefined ? undefined : routes.get(name)
    if (name === undefined || !route) return undefined
    const notedAtMs = known.notedAtMs(name)
    const { route: own, remainingMs } = await readKey(connection.call, keyOf(name))
    return {
      name,
      route,
      source: `${deps.address} ${own?.ok ? keyOf(name) : `${prefix}http/routers`}`,
      ...(notedAtMs === undefined
        ? {}
        : { ageSeconds: Math.max(0, Math.round((clock.monotonic() - notedAtMs) / 1000)) }),
      ...(remainingMs === undefined ? {} : { expiresInSeconds: Math.ceil(remainingMs / 1000) }),
    }
  }

  const write = (name: string, route: DynamicRoute | undefined) =>
    writeKey(connection.call, { key: keyOf(name), isTraefiks: traefik.isUsed }, route)

  return {
    find,
    inspect,
    read: peek,
    async rejection(name) {
      const { route } = await readKey(connection.call, keyOf(name))
      return route?.ok === false ? `${route.problem}; ${route.fix}` : undefined
    },
    async list(pattern = '*') {
      const routes = new Map([...traefik.routes()].filter(([name]) => matchesPattern(name, pattern)))
      for await (const names of scanNames(connection.call, prefix, pattern)) {
        for (const [name, route] of await peek(names.filter(isRouteName))) routes.set(name, route)
        await misnamed.report(connection.call, names.filter(misnamed.isSuspect))
      }
      return routes
    },
    async set(changes) {
      for (const batch of inBatches([...changes], atOnce))
        await Promise.all(batch.map(([name, route]) => write(name, route)))
      const names = [...changes.keys()].filter(known.mayKnow)
      // a route that is removed is not lost
      for (const name of names) if (!changes.get(name)) known.note(name, false)
      for (const batch of inBatches(names, atOnce)) await onChange(await readNames(batch))
    },
    status: () => ({
      routes: known.routeCount(),
      isPartial: true,
      problem: connection.problem() ?? loss.reason(),
      rejected: rejections.count(),
    }),
    async close() {
      expiry.close()
      cancelReread()
      forgetting.close()
      loss.end()
      await Promise.all([connection.close(), changed.close()])
    },
  }
}
