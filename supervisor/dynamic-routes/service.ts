import { messageOf, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Runtime } from '../base/runtime.ts'
import { encodeTarget, findRouteObstacle, type RouteContext } from './context.ts'
import { formatTarget, type Reading, readRouteHost, readRouteTarget } from './route.ts'
import type { OnRoutesChange, RouteStore, RouteStoreStatus } from './store.ts'

/** Dependencies of the service. */
export interface DynamicRoutesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Opens a store that reports its changes to `onChange`. */
  openStore(onChange: OnRoutesChange): RouteStore
  context: () => RouteContext
  /** Sends nginx the changes by host; undefined: no target. Rejects if nginx does not accept them. */
  push(version: number, changes: ReadonlyMap<string, string | undefined>): Promise<void>
}

/** Result of a lookup by nginx, which discards one that is older than a change it received meanwhile. */
export interface RouteLookup {
  version: number
  target: string | undefined
}

/** Route as listed. */
export interface DynamicRoute {
  host: string
  target: string
  /** Reason why it does not work. */
  problem?: string
}

/** Dynamic routes of hosts, in addition to those of the configuration. */
export interface DynamicRoutes {
  /** Rejects while the store cannot be read. */
  find(host: string): Promise<RouteLookup>
  /** Settles when nginx serves the route. */
  set(host: string, target: string): Promise<Outcome>
  remove(host: string): Promise<Outcome>
  list(): Promise<DynamicRoute[]>
  /** Logs the routes that do not work, if they have changed. */
  report(): Promise<void>
  status(): RouteStoreStatus
}

/** Service that manages the routes for operators, responds to lookups by nginx, and sends nginx the changes. */
export function createDynamicRoutes({ clock, log, openStore, context, push }: DynamicRoutesDeps): DynamicRoutes {
  let version = clock.now()
  let reported = ''

  const store = openStore(async changes => {
    // never a version that was used before, even if the clock was set back
    version = Math.max(version + 1, clock.now())
    const encoded = new Map(
      [...changes].map(([host, target]) => [host, target && encodeTarget(target, context())] as const),
    )
    await push(version, encoded).catch((error: unknown) => {
      throw new OperatorError(`the change is stored, but nginx did not receive it: ${messageOf(error)}`, {
        fix: 'nginx looks the host up again within 30 seconds, unless the log says that nginx is not running',
      })
    })
  })

  async function list(): Promise<DynamicRoute[]> {
    const around = context()
    return [...(await store.list())].map(([host, target]) => {
      const obstacle = findRouteObstacle(host, target, around)
      return { host, target: formatTarget(target), ...(obstacle ? { problem: obstacle.problem } : {}) }
    })
  }

  async function toOutcome(act: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await act()
    } catch (error) {
      const fix = error instanceof OperatorError ? `\n  fix: ${error.fix}` : ''
      return { ok: false, message: 'cannot change routes', reason: messageOf(error) + fix }
    }
  }

  return {
    async find(host) {
      const asked = version
      const target = await store.find(host)
      return { version: asked, target: target && encodeTarget(target, context()) }
    },
    set: (hostText, targetText) =>
      toOutcome(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        const target = expectValue('target', targetText, readRouteTarget)
        const obstacle = findRouteObstacle(host, target, context())
        if (obstacle) throw new OperatorError(obstacle.problem, { fix: obstacle.fix })
        await store.set(host, target)
        return { ok: true, message: `${host} now leads to ${formatTarget(target)}` }
      }),
    remove: hostText =>
      toOutcome(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        if (store.status().problem === undefined && !(await store.list()).has(host))
          throw new OperatorError(`${host} has no route`, {
            fix: 'run monohull routes list to see all routes',
          })
        await store.set(host, undefined)
        return { ok: true, message: `route of ${host} removed` }
      }),
    list,
    async report() {
      const broken = (await list()).flatMap(({ host, problem }) => (problem === undefined ? [] : `${host}: ${problem}`))
      const text = broken.slice(0, 20).join('; ')
      if (text !== '' && text !== reported)
        log.warn('dynamic routes do not work', { count: broken.length, routes: text })
      reported = text
    },
    status: store.status,
  }
}

function expectValue<T>(what: 'host' | 'target', text: string, read: (text: string) => Reading<T>): T {
  const reading = read(text)
  if (reading.ok) return reading.value
  throw new OperatorError(`${what} ${JSON.stringify(text)} ${reading.problem}`, { fix: reading.fix })
}
