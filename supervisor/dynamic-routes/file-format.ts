import { readFlatObject } from './flat-object.ts'
import type { Reading } from './reading.ts'
import { type DynamicRoute, readRoute, routeValue } from './route.ts'
import { readRouteHost } from './route-host.ts'

/** Routes read from entries. */
export interface ReadRoutes {
  routes: ReadonlyMap<string, DynamicRoute>
  /** `shop: is a single word`, for each rejected entry. */
  rejected: string[]
}

/** Content of the file of dynamic routes. */
export interface RouteFile extends ReadRoutes {
  /** Entries as written, including the rejected ones. */
  entries: ReadonlyMap<string, unknown>
}

/** Characters of a foreign text that a message repeats at most. */
const mostShown = 60

/**
 * Reads `{"shop.example.com": "web"}`, with values as `readRoute` reads them. Rejects invalid entries one by one; throws if the text is not an object in JSON.
 * Routes whose values are those of `before` are the same objects.
 */
export function readRouteFile(text: string, before?: RouteFile): RouteFile {
  const entries = readFlatObject(text) ?? readAnyObject(text)
  return { entries, ...readRouteEntries(entries, before) }
}

function readAnyObject(text: string): Map<string, unknown> {
  const entries: unknown = JSON.parse(text)
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new Error('expected {"HOST": "TARGET", …}')
  return new Map(Object.entries(entries))
}

/** Reads hosts with values. Rejects invalid ones one by one. Hosts with the same text have the same route object. */
export function readRouteEntries(entries: Iterable<readonly [string, unknown]>, before?: RouteFile): ReadRoutes {
  const routes = new Map<string, DynamicRoute>()
  const rejected: string[] = []
  const readings = new Map<string, Reading<DynamicRoute>>()

  function read(value: unknown): Reading<DynamicRoute> {
    if (typeof value !== 'string') return readRoute(value)
    const known = readings.get(value)
    if (known) return known
    const reading = readRoute(value)
    readings.set(value, reading)
    return reading
  }

  for (const [name, value] of entries) {
    const same = typeof value === 'string' && before?.entries.get(name) === value ? before.routes.get(name) : undefined
    if (same && !routes.has(name)) {
      routes.set(name, same)
      continue
    }
    const host = readRouteHost(name)
    const route = read(value)
    if (host.ok && route.ok && !routes.has(host.value)) {
      routes.set(host.value, route.value)
      continue
    }
    const shown = shorten(name)
    if (!host.ok) rejected.push(`${shown}: ${host.problem}`)
    else if (!route.ok) rejected.push(`${shown}: ${describeValue(value)} ${route.problem}`)
    else rejected.push(`${shown}: appears twice`)
  }
  return { routes, rejected }
}

/** Reason why the value of a host or wildcard is rejected; undefined if it is a route, or there is none. */
export function findRejection({ entries, routes }: RouteFile, host: string): string | undefined {
  if (routes.has(host)) return undefined
  const entry = [...entries].find(([name]) => hostOf(name) === host)
  const reading = entry && readRoute(entry[1])
  return reading?.ok === false ? `${reading.problem}; ${reading.fix}` : undefined
}

/** Text with new routes of hosts, or without the hosts. All other entries stay, rejected ones too. */
export function writeRouteFile(
  entries: RouteFile['entries'],
  changes: ReadonlyMap<string, DynamicRoute | undefined>,
): string {
  const others = [...entries].filter(([name]) => !changes.has(hostOf(name)))
  const added = [...changes].flatMap(([host, route]) => (route ? [[host, routeValue(route)] as const] : []))
  const all = [...others, ...added]
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

/** Hosts whose route has changed, with the new one; undefined if the route was removed. */
export function changedRoutes(
  before: RouteFile['routes'],
  after: RouteFile['routes'],
): Map<string, DynamicRoute | undefined> {
  const textOf = (route: DynamicRoute | undefined) => route && JSON.stringify(routeValue(route))
  const isSame = (one: DynamicRoute | undefined, other: DynamicRoute | undefined) =>
    one === other || textOf(one) === textOf(other)
  const hosts = new Set([...before.keys(), ...after.keys()])
  return new Map(
    [...hosts].filter(host => !isSame(before.get(host), after.get(host))).map(host => [host, after.get(host)] as const),
  )
}

/** Host that a name in the file is read as, in any letter case or alphabet. */
function hostOf(name: string): string {
  const reading = readRouteHost(name)
  return reading.ok ? reading.value : ''
}

/** Value in a message. Objects may contain passwords. */
function describeValue(value: unknown): string {
  const isPublic = typeof value !== 'object' && !String(value).includes('{')
  return isPublic ? shorten(JSON.stringify(value)) : 'the value'
}

function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?')
  return printable.length > mostShown ? `${printable.slice(0, mostShown)}…` : printable
}
