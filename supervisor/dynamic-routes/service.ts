import { messageOf, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Runtime } from '../base/runtime.ts'
import { encodeTarget, findRouteObstacle, type RouteContext } from './context.ts'
import { formatTarget, type Reading, readRouteHost, readRouteTarget } from './route.ts'
import type { OnRoutesChange, RouteStore, RouteStoreStatus } from './store.ts'

export interface DynamicRoutesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** A store that tells its changes to `hear`. */
  openStore(hear: OnRoutesChange): RouteStore
  context: () => RouteContext
  /** Gives nginx what changed, by host; undefined: no target. Rejects when it does not take it. */
  push(version: number, changes: ReadonlyMap<string, string | undefined>): Promise<void>
}

/** What nginx is answered. It drops an answer that is older than what it was told meanwhile. */
export interface RouteLookup {
  version: number
  target: string | undefined
}

export interface DynamicRoute {
  host: string
  target: string
  /** Why it does not serve. */
  problem?: string
}

export interface DynamicRoutes {
  /** Rejects when nobody can tell. */
  find(host: string): Promise<RouteLookup>
  /** Settles when nginx serves it. */
  set(host: string, target: string): Promise<Outcome>
  remove(host: string): Promise<Outcome>
  list(): Promise<DynamicRoute[]>
  /** Logs the routes that lead nowhere, when they are others than before. */
  report(): Promise<void>
  status(): RouteStoreStatus
}

/** Which host leads where, beside the configuration: for whoever sets it, and for nginx, which asks and is told. */
export function createDynamicRoutes({ clock, log, openStore, context, push }: DynamicRoutesDeps): DynamicRoutes {
  let version = clock.now()
  let reported = ''

  const store = openStore(async changes => {
    // never one that was there before, not after a change of the clock either
    version = Math.max(version + 1, clock.now())
    const encoded = new Map(
      [...changes].map(([host, target]) => [host, target && encodeTarget(target, context())] as const),
    )
    await push(version, encoded).catch((error: unknown) => {
      throw new OperatorError(`it is kept, but nginx was not told: ${messageOf(error)}`, {
        fix: 'it asks again within half a minute, unless the log says that it is away',
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

  async function keep(act: () => Promise<Outcome>): Promise<Outcome> {
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
      keep(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        const target = expectValue('target', targetText, readRouteTarget)
        const obstacle = findRouteObstacle(host, target, context())
        if (obstacle) throw new OperatorError(obstacle.problem, { fix: obstacle.fix })
        await store.set(host, target)
        return { ok: true, message: `${host} leads to ${formatTarget(target)}` }
      }),
    remove: hostText =>
      keep(async () => {
        const host = expectValue('host', hostText, readRouteHost)
        if (store.status().problem === undefined && !(await store.list()).has(host))
          throw new OperatorError(`${host} has no route`, {
            fix: 'monohull routes list shows them all',
          })
        await store.set(host, undefined)
        return { ok: true, message: `${host} has no route any more` }
      }),
    list,
    async report() {
      const idle = (await list()).flatMap(({ host, problem }) => (problem === undefined ? [] : `${host}: ${problem}`))
      const text = idle.slice(0, 20).join('; ')
      if (text !== '' && text !== reported)
        log.warn('dynamic routes that do not serve', { count: idle.length, routes: text })
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
