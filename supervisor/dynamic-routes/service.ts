import { messageOf, OperatorError } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { describeObstacles, findRouteObstacle, type RouteContext } from './context.ts'
import { encodeRoute } from './encoding.ts'
import type { RouteMessage } from './hosts.ts'
import { createRouteOperations, type RouteOperations } from './operations.ts'
import type { DynamicRoute } from './route.ts'
import { candidatesOf, isWildcard, readRouteHost } from './route-host.ts'
import type { OnRoutesChange, RouteStore, RouteStoreStatus } from './store.ts'

/** Dependencies of the service. */
export interface DynamicRoutesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Opens a store that reports its changes to `onChange`. */
  openStore(onChange: OnRoutesChange): RouteStore
  context: () => RouteContext
  /** Sends nginx changes. Rejects if nginx does not accept them. */
  push(message: RouteMessage): Promise<void>
}

/** Result of a lookup by nginx, which discards one that is older than a change it received meanwhile. */
export interface RouteLookup {
  version: number
  /** Encoded for nginx; undefined: the host has no route. */
  route: string | undefined
  /** Wildcard that has the route; undefined if it is the host's own. */
  wildcard: string | undefined
}

/** Dynamic routes of hosts, in addition to those of the configuration. */
export interface DynamicRoutes extends RouteOperations {
  /** Route of a host, else of the longest wildcard that matches it. Rejects while the store cannot be read. */
  find(host: string): Promise<RouteLookup>
  /** Tells nginx that it has received every change, unless the store cannot be read; settles with whether it did. Rejects if nginx does not respond. */
  confirm(): Promise<boolean>
  /** Has nginx ask again if the configuration has changed what routes lead to. */
  adopt(): Promise<void>
  /** Logs the routes that do not work, if they have changed. */
  report(): Promise<void>
  status(): RouteStoreStatus
}

/** Routes that are logged at most because they do not work. */
const mostLogged = 100

/** Service that manages the routes for operators, responds to lookups by nginx, and sends nginx the changes. */
export function createDynamicRoutes({ clock, log, openStore, context, push }: DynamicRoutesDeps): DynamicRoutes {
  const started = clock.now()
  let version = started
  let lost = 0
  let reported = ''
  let known = JSON.stringify(context())

  const send = (changes: RouteMessage['changes']) => push({ version, stream: `${started}-${lost}`, changes })

  async function forward(changes: RouteMessage['changes']): Promise<void> {
    // never a version that was used before, even if the clock was set back
    version = Math.max(version + 1, clock.now())
    await send(changes).catch((error: unknown) => {
      // nginx trusts no answer that is older than the next stream
      lost++
      throw new OperatorError(`the change is stored, but nginx did not receive it: ${messageOf(error)}`, {
        fix: 'nginx looks the host up again within 30 seconds, unless the log says that nginx is not running',
      })
    })
  }

  const store = openStore(changes => {
    const around = context()
    const encode = (route: DynamicRoute | undefined) => route && encodeRoute(route, around)
    return forward(changes === 'all' ? changes : new Map([...changes].map(([name, route]) => [name, encode(route)])))
  })

  const operations = createRouteOperations({ store, context })
  /** Names of routes that were logged because they do not work. */
  const logged = new Set<string>()

  /** Logs a route that does not work when it is requested for the first time, so that a flood of them does not fill the log. */
  function warnOnce(name: string, route: DynamicRoute): void {
    if (logged.has(name) || logged.size >= mostLogged) return
    const obstacle = findRouteObstacle(name, route, context())
    if (!obstacle) return
    logged.add(name)
    log.warn('a dynamic route does not work', { host: name, problem: obstacle.problem, fix: obstacle.fix })
  }

  async function report(): Promise<void> {
    const broken = describeObstacles(await store.list(), context())
    const text = broken.slice(0, 20).join('; ')
    if (text !== '' && text !== reported) log.warn('dynamic routes do not work', { count: broken.length, routes: text })
    reported = text
  }

  return {
    ...operations,
    async find(text) {
      const asked = version
      const host = readRouteHost(text)
      const found = host.ok && !isWildcard(host.value) ? await store.find(candidatesOf(host.value)) : undefined
      if (found) warnOnce(found.name, found.route)
      return {
        version: asked,
        route: found && encodeRoute(found.route, context()),
        wildcard: found && isWildcard(found.name) ? found.name : undefined,
      }
    },
    async confirm() {
      const isKnown = store.status().problem === undefined
      if (isKnown) await send(new Map())
      return isKnown
    },
    report,
    async adopt() {
      const now = JSON.stringify(context())
      const isSame = now === known
      known = now
      if (!isSame) logged.clear()
      // nginx looks old answers up again if it did not receive this
      if (!isSame) await forward('all').catch((error: unknown) => log.warn(messageOf(error)))
    },
    status: store.status,
  }
}
