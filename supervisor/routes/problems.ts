import { describeForwardAuthProblems } from './forward-auth-problems.ts'
import type { Route } from './keys.ts'
import { unsupportedKeys } from './protocol-keys.ts'
import { findLoop } from './redirect-loops.ts'
import type { RouteContext, RouteProblem } from './route-context.ts'

/** App that gets every request if there are no routes: the only one, else web, else app; undefined if there is none of these. */
export function fallbackApp(names: readonly string[]): string | undefined {
  if (names.length === 1) return names[0]
  return ['web', 'app'].find(name => names.includes(name))
}

/** Problems of routes with each other and with their context. Undefined stands for a route that is invalid by itself. */
export function describeRouteProblems(
  routes: readonly (Route | undefined)[] | undefined,
  context: RouteContext,
): RouteProblem[] {
  const { apps } = context
  if (!routes) {
    if (apps.length === 0 || fallbackApp(apps) !== undefined) return []
    const fix = `set routes, such as [{path: /, app: ${apps[0]}}, {path: /${apps[1]}, app: ${apps[1]}}], or call one app web`
    return [{ path: ['apps'], message: `has no app for requests: choose between ${apps.join(', ')}`, params: { fix } }]
  }
  const tooMany = describeProduct(routes)
  if (tooMany) return [tooMany]
  const firsts = new Map<string, number>()
  for (const [index, route] of routes.entries())
    if (route && !firsts.has(matchKey(route))) firsts.set(matchKey(route), index)
  return routes.flatMap((route, index) => {
    if (!route) return []
    return [
      ...describeTarget(route, index, context),
      ...describeProtocol(route, index, context),
      ...describeOpenPage(route, index, context),
      ...describeConflict(firsts.get(matchKey(route)), index),
      ...describeLoop(routes, route, index),
      ...describeHealthConflict(route, index, context),
      ...describeUselessCache(route, index, context),
      ...describeForwardAuthProblems(routes, index, context),
    ]
  })
}

/** Locations of nginx for routes that each host has too. Each costs tens of kilobytes in every nginx process. */
const mostShared = 20_000

/** Problem of too many hosts, each of which has all routes without a host. */
function describeProduct(routes: readonly (Route | undefined)[]): RouteProblem | undefined {
  const hosts = new Set(routes.flatMap(route => route?.host ?? [])).size
  const shared = routes.filter(route => route && route.host === undefined).length
  if (hosts * shared <= mostShared) return undefined
  const message = `has ${hosts} hosts and ${shared} routes without a host, which each host has too: nginx would hold ${hosts * shared} locations, of ${mostShared} at most`
  const fix = 'set host in the routes that not every host needs, or put the hosts into dynamic_routes'
  return { path: ['routes'], message, params: { fix } }
}

function describeTarget({ target }: Route, index: number, { apps, upstreams }: RouteContext): RouteProblem[] {
  if (target.kind !== 'app' && target.kind !== 'upstream') return []
  const known = target.kind === 'app' ? apps : upstreams
  if (known.includes(target.name)) return []
  const fix =
    known.length > 0 ? `name one of the ${target.kind}s: ${known.join(', ')}` : `set ${target.kind}s.${target.name}`
  return [
    {
      path: ['routes', index, target.kind],
      message: `is not an ${target.kind} of this configuration`,
      params: { fix },
    },
  ]
}

/** Problems of keys of a route that do not work with the protocol of its target. */
function describeProtocol(route: Route, index: number, { protocolOf }: RouteContext): RouteProblem[] {
  const { target } = route
  if (target.kind !== 'app' && target.kind !== 'upstream') return []
  const protocol = protocolOf?.(target.kind, target.name) ?? 'http'
  return unsupportedKeys(protocol, { ...route, target }).map(key => ({
    path: ['routes', index, key],
    message: `does not work with protocol: ${protocol} of the ${target.kind} ${target.name}`,
    params: { fix: `remove ${key}` },
  }))
}

/** Problem of a route by which anyone could read a page of monohull itself. */
function describeOpenPage({ target, settings }: Route, index: number, front: RouteContext): RouteProblem[] {
  if (target.kind !== 'internal') return []
  const { basic_auth, allow = front.allow, client_certificate, forward_auth } = settings
  const mode = front.tls.client_certificates?.mode ?? 'off'
  const certificate = mode === 'off' ? 'off' : (client_certificate ?? mode)
  const hasPassword = basic_auth !== 'off' && (basic_auth ?? front.basic_auth).file !== undefined
  if (hasPassword || forward_auth || (allow !== undefined && allow !== 'off') || certificate === 'required') return []
  const message = `shows ${target.page} to everyone`
  const fix = 'set basic_auth, allow, forward_auth or client_certificate: required for the route'
  return [{ path: ['routes', index, 'internal'], message, params: { fix } }]
}

/** What requests a route is for. */
function matchKey({ host, path, match }: Route): string {
  return JSON.stringify([host, path, match])
}

function describeConflict(first: number | undefined, index: number): RouteProblem[] {
  if (first === undefined || first === index) return []
  const also = ['routes', first, 'path']
  const message = `repeats the host and path of routes.${first}`
  return [{ path: ['routes', index, 'path'], message, params: { fix: 'remove one of the two', also } }]
}

/** Problem of a redirect that leads back to itself, directly or through others. Each loop is reported once, at its first route. */
function describeLoop(routes: readonly (Route | undefined)[], route: Route, index: number): RouteProblem[] {
  const { target, path } = route
  // a redirect to its own path is reported with the route itself
  if (target.kind !== 'redirect' || target.to === path) return []
  const loop = findLoop(routes, route).map(other => routes.indexOf(other))
  const other = loop.at(-1)
  if (other === undefined || Math.min(...loop) < index) return []
  const at = ['routes', index, 'redirect', 'to']
  if (other === index) {
    const fix = 'set a path outside of this route, or add a route for that path'
    return [{ path: at, message: 'leads back to this route', params: { fix } }]
  }
  const also = ['routes', other, 'redirect', 'to']
  const message = `leads back to this route through the redirect of routes.${other}`
  return [{ path: at, message, params: { fix: 'set another path in one of the two', also } }]
}

function describeHealthConflict(
  { path, match }: Route,
  index: number,
  { health }: Pick<RouteContext, 'health'>,
): RouteProblem[] {
  if (match === 'regex') return []
  const key = (['live_path', 'ready_path'] as const).find(name => health[name] === path)
  if (!key) return []
  const fix = `change one of the two paths, or set health.${key} to off`
  return [{ path: ['routes', index, 'path'], message: `is health.${key}, which monohull responds to`, params: { fix } }]
}

/** Problem of a cache behind a password: a response to a request with a password is for one user, and never cached. */
function describeUselessCache(
  { settings: { cache = 'off', basic_auth } }: Route,
  index: number,
  front: Pick<RouteContext, 'basic_auth'>,
): RouteProblem[] {
  if (cache === 'off' || basic_auth === 'off' || (basic_auth ?? front.basic_auth).file === undefined) return []
  const message = 'has no effect behind basic_auth: requests with a password are never served from the cache'
  return [
    {
      path: ['routes', index, 'cache'],
      message,
      params: { fix: 'remove it, or set basic_auth to off for this route' },
    },
  ]
}
