import { messageOf, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { describeObstacles, findRouteObstacle, type RouteContext } from './context.ts'
import { readImport } from './import-format.ts'
import type { Reading } from './reading.ts'
import { type DynamicRoute, formatRoute, readRoute, routeValue } from './route.ts'
import { candidatesOf, readRouteHost } from './route-host.ts'
import type { RouteStore } from './store.ts'

/** Route as listed. */
export interface ListedRoute {
  host: string
  target: string
  /** Reason why it does not work. */
  problem?: string
}

/** Route of one host. */
export interface ShownRoute extends ListedRoute {
  /** Host or wildcard that the route is stored under. */
  name: string
  /** File, or key in Redis. */
  source: string
  /** Time since it was read for nginx; undefined if nginx has not asked for it. */
  ageSeconds?: number
  /** Time until it ends by itself; undefined if it does not. */
  expiresInSeconds?: number
}

/** Operations of operators, the same for every store. Those that read reject with the reason if the store cannot be read. */
export interface RouteOperations {
  /** Routes whose hosts match a pattern, in which `*` stands for any text; default: all. */
  list(pattern?: string): Promise<ListedRoute[]>
  /** Route that requests for a host get; undefined if there is none. */
  get(host: string): Promise<ShownRoute | undefined>
  /** Value that is stored for exactly this host or wildcard, with hashed passwords; undefined: none. */
  value(host: string): Promise<string | Record<string, unknown> | undefined>
  /** Settles when nginx serves the route. */
  set(host: string, target: string): Promise<Outcome>
  remove(host: string): Promise<Outcome>
  /** Sets all routes of a text (import-format.ts), or none if one of them is invalid. */
  importText(text: string): Promise<Outcome>
  /** All routes as values by host. `importText` reads them. */
  exportAll(): Promise<Record<string, unknown>>
}

interface OperationsDeps {
  store: RouteStore
  context: () => RouteContext
}

/** Entries that one message names at most. */
const mostNamed = 20

/** Operations on a store. */
export function createRouteOperations({ store, context }: OperationsDeps): RouteOperations {
  function toListed(host: string, route: DynamicRoute, around: RouteContext): ListedRoute {
    const obstacle = findRouteObstacle(host, route, around)
    return { host, target: formatRoute(route), ...(obstacle ? { problem: obstacle.problem } : {}) }
  }

  /** Problem of the first of some names whose value is not a route. */
  async function findRejected(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) {
      const reason = await store.rejection(name)
      if (reason !== undefined) return `the value of ${name} was rejected: ${reason}`
    }
    return undefined
  }

  return {
    async list(pattern) {
      const around = context()
      return [...(await store.list(pattern))].map(([host, route]) => toListed(host, route, around))
    },
    async get(text) {
      const host = expectValue('host', text, readRouteHost)
      const names = candidatesOf(host)
      const found = await store.inspect(names)
      const rejected = await findRejected(found ? names.slice(0, names.indexOf(found.name)) : names)
      if (!found && rejected !== undefined) throw new Error(rejected)
      if (!found) return undefined
      const { name, route, ...others } = found
      const problem = rejected === undefined ? {} : { problem: rejected }
      return { ...toListed(host, route, context()), ...problem, name, ...others }
    },
    async value(text) {
      const host = expectValue('host', text, readRouteHost)
      const route = (await store.read([host])).get(host)
      return route && routeValue(route)
    },
    set: (hostText, targetText) =>
      toOutcome(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        const route = expectValue('target', targetText, readRoute)
        const obstacle = findRouteObstacle(host, route, context())
        if (obstacle) throw new OperatorError(obstacle.problem, { fix: obstacle.fix })
        const before = (await readPresent(store, [host])).get(host)
        await store.set(new Map([[host, route]]))
        const old = before ? ` (before: ${formatRoute(before)})` : ''
        return { ok: true, message: `${host} now leads to ${formatRoute(route)}${old}` }
      }),
    remove: hostText =>
      toOutcome(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        const before = (await readPresent(store, [host])).get(host)
        const isMissing = !before && store.status().problem === undefined
        if (isMissing && (await findRejected([host])) === undefined)
          throw new OperatorError(`${host} has no route`, { fix: 'run monohull routes list to see all routes' })
        await store.set(new Map([[host, undefined]]))
        return { ok: true, message: `route of ${host} removed${before ? ` (before: ${formatRoute(before)})` : ''}` }
      }),
    importText: text =>
      toOutcome(async () => {
        const { routes, rejected } = readImport(text)
        const problems = [...rejected, ...describeObstacles(routes, context())]
        if (problems.length > 0)
          throw new OperatorError(listed(problems), { fix: 'correct them; nothing was imported' })
        const before = await readPresent(store, [...routes.keys()])
        const changed = [...routes].filter(([host, route]) => textOf(before.get(host)) !== textOf(route))
        await store.set(new Map(changed))
        const replaced = changed.flatMap(([host, route]) => {
          const old = before.get(host)
          return old ? `${host}: ${formatRoute(route)} (before: ${formatRoute(old)})` : []
        })
        const counts = `${changed.length - replaced.length} new, ${replaced.length} changed, ${routes.size - changed.length} as before`
        return {
          ok: true,
          message: listed([
            `${routes.size} ${routes.size === 1 ? 'route' : 'routes'} imported: ${counts}`,
            ...replaced,
          ]),
        }
      }),
    async exportAll() {
      const routes = [...(await store.list())].sort(([a], [b]) => (a < b ? -1 : 1))
      return Object.fromEntries(routes.map(([host, route]) => [host, routeValue(route)]))
    },
  }
}

/** Routes before a change; none if the store cannot be read, which the change itself reports. */
async function readPresent(store: RouteStore, names: readonly string[]): Promise<ReadonlyMap<string, DynamicRoute>> {
  return store.read(names).catch(() => new Map())
}

function textOf(route: DynamicRoute | undefined): string | undefined {
  return route && JSON.stringify(routeValue(route))
}

/** Lines of a message. */
function listed(lines: readonly string[]): string {
  return [
    ...lines.slice(0, mostNamed),
    ...(lines.length > mostNamed ? [`… ${lines.length - mostNamed} more`] : []),
  ].join('\n  ')
}

async function toOutcome(act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act()
  } catch (error) {
    const fix = error instanceof OperatorError ? `\n  fix: ${error.fix}` : ''
    return { ok: false, message: 'cannot change routes', reason: messageOf(error) + fix }
  }
}

function expectValue<T>(what: 'host' | 'target', text: string, read: (text: string) => Reading<T>): T {
  const reading = read(text)
  if (reading.ok) return reading.value
  // an object may contain passwords
  const shown = text.includes('{') ? '' : ` ${JSON.stringify(text)}`
  throw new OperatorError(`${what}${shown} ${reading.problem}`, { fix: reading.fix })
}
