import { type DynamicTarget, formatTarget, readRouteHost, readRouteTarget } from './route.ts'

/** Content of the file of dynamic routes. */
export interface RouteFile {
  /** Entries as written, including the rejected ones. */
  entries: Readonly<Record<string, unknown>>
  routes: ReadonlyMap<string, DynamicTarget>
  /** `shop: is a single word`, for each rejected entry. */
  rejected: string[]
}

/** Characters of a foreign text that a message repeats at most. */
const mostShown = 60

/** Reads `{"shop.example.com": "web"}`. Rejects invalid entries one by one; throws if the text is not an object in JSON. */
export function readRouteFile(text: string): RouteFile {
  const entries: unknown = JSON.parse(text)
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new Error('expected {"HOST": "TARGET", …}')
  const routes = new Map<string, DynamicTarget>()
  const rejected: string[] = []
  for (const [name, value] of Object.entries(entries)) {
    const host = readRouteHost(name)
    const target = readRouteTarget(typeof value === 'string' ? value : '')
    const shown = shorten(name)
    if (!host.ok) rejected.push(`${shown}: ${host.problem}`)
    else if (!target.ok) rejected.push(`${shown}: ${shorten(JSON.stringify(value))} ${target.problem}`)
    else if (routes.has(host.value)) rejected.push(`${shown}: appears twice`)
    else routes.set(host.value, target.value)
  }
  return { entries: entries as Record<string, unknown>, routes, rejected }
}

/** Text with a new target for a host, or without the host. All other entries stay, rejected ones too. */
export function writeRouteFile(entries: RouteFile['entries'], host: string, target: DynamicTarget | undefined): string {
  const others = Object.entries(entries).filter(([name]) => name.toLowerCase() !== host)
  const all = target ? [...others, [host, formatTarget(target)] as const] : others
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

/** Hosts whose target has changed, with the new one; undefined if the route was removed. */
export function changedRoutes(
  before: RouteFile['routes'],
  after: RouteFile['routes'],
): Map<string, DynamicTarget | undefined> {
  const textOf = (target: DynamicTarget | undefined) => target && formatTarget(target)
  const hosts = new Set([...before.keys(), ...after.keys()])
  return new Map(
    [...hosts]
      .filter(host => textOf(before.get(host)) !== textOf(after.get(host)))
      .map(host => [host, after.get(host)] as const),
  )
}

function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?')
  return printable.length > mostShown ? `${printable.slice(0, mostShown)}…` : printable
}
