import { type DynamicTarget, formatTarget } from './route.ts'

/** What a dynamic route meets in the configuration and on this machine. */
export interface RouteContext {
  /** Hosts of the configuration, which go before; some begin with `*.`. */
  namedHosts: readonly string[]
  /** Apps with workers. */
  apps: readonly string[]
  upstreams: readonly string[]
  /** Apps that are staticApps. */
  staticApps: readonly string[]
  /** Whether nginx itself listens there. */
  isOwn: (address: string, port: number) => boolean
}

/** Why a route would not serve, and what to do about it. */
export interface RouteObstacle {
  problem: string
  fix: string
}

/** Undefined: a route for this host to this target serves. */
export function findRouteObstacle(
  host: string,
  target: DynamicTarget,
  context: RouteContext,
): RouteObstacle | undefined {
  const named = context.namedHosts.find(
    name => name === host || (name.startsWith('*.') && host.endsWith(name.slice(1))),
  )
  if (named !== undefined) {
    const what = named === host ? host : `${named}, which ${host} is one of,`
    return {
      problem: `${what} is in the configuration, which goes before`,
      fix: 'take it out of server_names and routes',
    }
  }
  return findTargetObstacle(target, context)
}

/** For nginx: `app:web`, `upstream:legacy`, `address:10.0.0.2:5000`, or `none` for what leads nowhere. */
export function encodeTarget(target: DynamicTarget, context: RouteContext): string {
  if (findTargetObstacle(target, context)) return 'none'
  if (target.kind === 'address') return `address:${formatTarget(target)}`
  return `${context.apps.includes(target.name) ? 'app' : 'upstream'}:${target.name}`
}

function findTargetObstacle(target: DynamicTarget, context: RouteContext): RouteObstacle | undefined {
  const { apps, upstreams, staticApps, isOwn } = context
  if (target.kind === 'address') {
    if (!isOwn(target.address, target.port)) return undefined
    const problem = `${formatTarget(target)} is nginx itself, and requests would go round and round`
    return { problem, fix: 'name the server behind it' }
  }
  const { name } = target
  if (apps.includes(name) || upstreams.includes(name)) return undefined
  if (staticApps.includes(name)) {
    const problem = `the app ${name} is a folder of files, which dynamic routes do not lead to`
    return { problem, fix: `add {host: …, app: ${name}} to routes` }
  }
  const known = [...apps, ...upstreams]
  const fix =
    known.length > 0 ? `name one of ${known.join(', ')}, or an address` : 'add it to upstreams, or name an address'
  return { problem: `${name} is no app and no upstream of the configuration`, fix }
}
