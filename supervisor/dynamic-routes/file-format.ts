import { type DynamicRoute, readRoute, routeValue } from './route.ts'
import { readRouteHost } from './route-host.ts'

/** Content of the file of dynamic routes. */
export interface RouteFile {
  /** Entries as written, including the rejected ones. */
  entries: Readonly<Record<string, unknown>>
  routes: ReadonlyMap<string, DynamicRoute>
  /** `shop: is a single word`, for each rejected entry. */
  rejected: string[]
}

/** Characters of a foreign text that a message repeats at most. */
const mostShown = 60

/** Reads `{"shop.example.com": "web"}`, with values as `readRoute` reads them. Rejects invalid entries one by one; throws if the text is not an object in JSON. */
export function readRouteFile(text: string): RouteFile {
  const entries: unknown = JSON.parse(text)
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new Error('expected {"HOST": "TARGET", …}')
  const routes = new Map<string, DynamicRoute>()
  const rejected: string[] = []
  for (const [name, value] of Object.entries(entries)) {
    const host = readRouteHost(name)
    const route = readRoute(value)
    const shown = shorten(name)
    if (!host.ok) rejected.push(`${shown}: ${host.problem}`)
    else if (!route.ok) rejected.push(`${shown}: ${describeValue(value)} ${route.problem}`)
    else if (routes.has(host.value)) rejected.push(`${shown}: appears twice`)
    else routes.set(host.value, route.value)
  }
  return { entries: entries as Record<string, unknown>, routes, rejected }
}

/** Text with a new route of a host, or without the host. All other entries stay, rejected ones too. */
export function writeRouteFile(entries: RouteFile['entries'], host: string, route: DynamicRoute | undefined): string {
  const others = Object.entries(entries).filter(([name]) => !isNameOf(name, host))
  const all = route ? [...others, [host, routeValue(route)] as const] : others
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

/** Hosts whose route has changed, with the new one; undefined if the route was removed. */
export function changedRoutes(
  before: RouteFile['routes'],
  after: RouteFile['routes'],
): Map<string, DynamicRoute | undefined> {
  const textOf = (route: DynamicRoute | undefined) => route && JSON.stringify(routeValue(route))
  const hosts = new Set([...before.keys(), ...after.keys()])
  return new Map(
    [...hosts]
      .filter(host => textOf(before.get(host)) !== textOf(after.get(host)))
      .map(host => [host, after.get(host)] as const),
  )
}

/** Whether a name in the file, in any letter case or alphabet, is that of a host. */
function isNameOf(name: string, host: string): boolean {
  const reading = readRouteHost(name)
  return reading.ok && reading.value === host
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
