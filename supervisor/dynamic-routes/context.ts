import { isInNetwork } from '../base/network.ts'
import { type DynamicTarget, formatTarget } from './route.ts'

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

/** Obstacle to a route from a host to a target; undefined if the route works. */
export function findRouteObstacle(
  host: string,
  target: DynamicTarget,
  context: RouteContext,
): RouteObstacle | undefined {
  const named = context.namedHosts.find(
    name => name === host || (name.startsWith('*.') && host.endsWith(name.slice(1))),
  )
  if (named !== undefined) {
    const what = named === host ? host : `${named}, which matches ${host},`
    return {
      problem: `${what} is in the configuration, which takes precedence`,
      fix: 'remove it from server_names and routes',
    }
  }
  return findTargetObstacle(target, context)
}

/** Target as nginx reads it: `app:web`, `upstream:legacy`, `address:10.0.0.2:5000`, or `none` for one that does not exist. */
export function encodeTarget(target: DynamicTarget, context: RouteContext): string {
  if (findTargetObstacle(target, context)) return 'none'
  if (target.kind === 'address') return `address:${formatTarget(target)}`
  return `${context.apps.includes(target.name) ? 'app' : 'upstream'}:${target.name}`
}

function findTargetObstacle(target: DynamicTarget, context: RouteContext): RouteObstacle | undefined {
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
