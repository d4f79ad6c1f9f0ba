import { isInNetwork } from '../base/network.ts'
import type { DynamicRoute } from './route.ts'
import { type DynamicTarget, formatTarget } from './target.ts'

/** Configuration and machine that dynamic routes are checked against. */
export interface RouteContext {
  /** Hosts of the configuration, which take precedence; some begin with `*.`. */
  namedHosts: readonly string[]
  /** Apps with workers. */
  apps: readonly string[]
  upstreams: readonly string[]
  /** Apps that are directories of static files. */
  staticApps: readonly string[]
  /** Networks that addresses must be in; undefined: any that is not forbidden. */
  networks: readonly string[] | undefined
  /** Whether nginx itself listens on an address. */
  isOwn: (address: string, port: number) => boolean
}

/** Reason why a route cannot work, with its fix. */
export interface RouteObstacle {
  problem: string
  fix: string
}

/** First obstacle to the route of a host or wildcard; undefined if the route works. */
export function findRouteObstacle(host: string, route: DynamicRoute, context: RouteContext): RouteObstacle | undefined {
  return findHostObstacle(host, context) ?? findOwnObstacle(route, context)
}

/** Obstacles of many routes, which may share their objects, as `HOST: PROBLEM`. */
export function describeObstacles(routes: ReadonlyMap<string, DynamicRoute>, context: RouteContext): string[] {
  const own = new Map<DynamicRoute, RouteObstacle | undefined>()
  const found: string[] = []
  for (const [host, route] of routes) {
    if (!own.has(route)) own.set(route, findOwnObstacle(route, context))
    const obstacle = findHostObstacle(host, context) ?? own.get(route)
    if (obstacle) found.push(`${host}: ${obstacle.problem}`)
  }
  return found
}

function findHostObstacle(host: string, { namedHosts }: RouteContext): RouteObstacle | undefined {
  const configured = namedHosts.find(name => name === host || (name.startsWith('*.') && host.endsWith(name.slice(1))))
  if (configured === undefined) return undefined
  const what = configured === host ? host : `${configured}, which matches ${host},`
  return {
    problem: `${what} is in the configuration, which takes precedence`,
    fix: 'remove it from server_names and routes',
  }
}

/** Obstacle that does not depend on the host. */
function findOwnObstacle({ targets, readTimeoutMs }: DynamicRoute, context: RouteContext): RouteObstacle | undefined {
  const broken = targets.map(({ target }) => findTargetObstacle(target, context)).find(found => found !== undefined)
  if (broken) return broken
  const named = targets.find(({ target }) => target.kind === 'name')
  if (readTimeoutMs === undefined || !named) return undefined
  const problem = `read_timeout does not apply to ${formatTarget(named.target)}, which is not an address`
  return { problem, fix: 'set read_timeout in routes, or name addresses' }
}

/** Obstacle to one target; undefined if it works. */
export function findTargetObstacle(target: DynamicTarget, context: RouteContext): RouteObstacle | undefined {
  const { apps, upstreams, staticApps, networks, isOwn } = context
  if (target.kind === 'address') {
    const { address } = target
    if (networks && !networks.some(network => isInNetwork(address, network))) {
      const fix = 'name an address in one of these networks, or add its network and reload'
      return { problem: `${formatTarget(target)} is not in dynamic_routes.allow (${networks.join(', ')})`, fix }
    }
    if (!isOwn(address, target.port)) return undefined
    const problem = `${formatTarget(target)} is nginx itself and would create a proxy loop`
    return { problem, fix: 'name the server behind nginx' }
  }
  const { name } = target
  if (apps.includes(name) || upstreams.includes(name)) return undefined
  if (staticApps.includes(name)) {
    const problem = `the app ${name} is a directory of static files, which dynamic routes do not support`
    return { problem, fix: `add {host: …, app: ${name}} to routes` }
  }
  const known = [...apps, ...upstreams]
  const fix =
    known.length > 0 ? `name one of ${known.join(', ')}, or an address` : 'add it to upstreams, or name an address'
  return { problem: `${name} is not an app or upstream of the configuration`, fix }
}
