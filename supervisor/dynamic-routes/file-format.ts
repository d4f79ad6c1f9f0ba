import { type DynamicTarget, formatTarget, readRouteHost, readRouteTarget } from './route.ts'

/** What the file of dynamic routes holds. */
export interface RouteFile {
  /** As it is written, with what was refused. */
  entries: Readonly<Record<string, unknown>>
  routes: ReadonlyMap<string, DynamicTarget>
  /** `shop: is a single word`, for each entry that was left out. */
  refused: string[]
}

/** Longest text of a stranger that is repeated. */
const mostShown = 60

/** Reads `{"shop.example.com": "web"}`. An Error when it is not that, entries aside: whoever wrote it may write anything. */
export function readRouteFile(text: string): RouteFile {
  const entries: unknown = JSON.parse(text)
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new Error('expected {"HOST": "TARGET", …}')
  const routes = new Map<string, DynamicTarget>()
  const refused: string[] = []
  for (const [name, value] of Object.entries(entries)) {
    const host = readRouteHost(name)
    const target = readRouteTarget(typeof value === 'string' ? value : '')
    const shown = shorten(name)
    if (!host.ok) refused.push(`${shown}: ${host.problem}`)
    else if (!target.ok) refused.push(`${shown}: ${shorten(JSON.stringify(value))} ${target.problem}`)
    else if (routes.has(host.value)) refused.push(`${shown}: is there twice`)
    else routes.set(host.value, target.value)
  }
  return { entries: entries as Record<string, unknown>, routes, refused }
}

/** The text with another target for a host, or without it; what else is there stays, what is refused too. */
export function writeRouteFile(entries: RouteFile['entries'], host: string, target: DynamicTarget | undefined): string {
  const others = Object.entries(entries).filter(([name]) => name.toLowerCase() !== host)
  const all = target ? [...others, [host, formatTarget(target)] as const] : others
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

/** The hosts whose target is another one now; undefined: it has none any more. */
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
