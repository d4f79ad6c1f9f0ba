import { toForwardAuth } from '../front/choose-forward-auth.ts'
import type { Route } from './keys.ts'
import type { RouteContext, RouteProblem } from './route-context.ts'

type Front = Pick<RouteContext, 'upstreams' | 'protocolOf' | 'basic_auth' | 'allow' | 'deny'>

/** Problems of the route with this number that concern an auth server, or which of several checks are enough. */
export function describeForwardAuthProblems(
  routes: readonly (Route | undefined)[],
  index: number,
  front: Front,
): RouteProblem[] {
  const route = routes[index]
  if (!route) return []
  return [
    ...describeUpstream(route, index, front),
    ...describeCache(route, index),
    ...describeSignIn(route, index, routes),
    ...describeSatisfy(route, index, front),
  ]
}

function describeUpstream({ settings: { forward_auth } }: Route, index: number, front: Front): RouteProblem[] {
  if (!forward_auth || forward_auth.server) return []
  const name = forward_auth.upstream
  const path = ['routes', index, 'forward_auth', 'upstream']
  if (!front.upstreams.includes(name)) {
    const fix = `set upstreams.${name}.servers to the auth server, such as ["authelia:9091"]`
    return [{ path, message: 'is not an upstream of this configuration', params: { fix } }]
  }
  const protocol = front.protocolOf?.('upstream', name) ?? 'http'
  if (protocol === 'http') return []
  const message = `speaks ${protocol}, and an auth server is asked by HTTP`
  return [{ path, message, params: { fix: `name an upstream with protocol: http` } }]
}

/** Problem of a cache: one user would get what the app has sent to another. */
function describeCache({ settings: { forward_auth, cache = 'off' } }: Route, index: number): RouteProblem[] {
  if (!forward_auth || cache === 'off') return []
  const message = 'conflicts with forward_auth: a stored response may be for another user'
  return [{ path: ['routes', index, 'cache'], message, params: { fix: 'remove one of the two' } }]
}

/** Problem of a sign-in page that only users who have signed in may see. */
function describeSignIn(route: Route, index: number, routes: readonly (Route | undefined)[]): RouteProblem[] {
  const { forward_auth } = route.settings
  const signIn = forward_auth && toForwardAuth(forward_auth).signIn
  if (!signIn || signIn === 'location' || !signIn.url.startsWith('/')) return []
  const path = signIn.url.replace(/[?#{].*/, '')
  if (routeOf(path, route.host, routes)?.settings.forward_auth === undefined) return []
  const key = forward_auth.sign_in === undefined ? 'preset' : 'sign_in'
  const base = `/${path.split('/')[1] ?? ''}`
  const { server, upstream } = forward_auth
  const fix = server
    ? `set forward_auth.upstream to an upstream with this server, in place of url, and add {path: ${base}, upstream: …} to routes`
    : `add {path: ${base}, upstream: ${upstream}} to routes`
  const message = `sends browsers to ${path}, which is behind forward_auth itself: they would be redirected for ever`
  return [{ path: ['routes', index, 'forward_auth', key], message, params: { fix } }]
}

/** Route that nginx chooses for a path; undefined if a regular expression might decide, or none matches. */
function routeOf(path: string, host: string | undefined, routes: readonly (Route | undefined)[]): Route | undefined {
  const same = routes.filter(one => one !== undefined).filter(one => one.host === undefined || one.host === host)
  if (same.some(({ match }) => match === 'regex')) return undefined
  const isUnder = (one: Route) => one.path === '/' || path === one.path || path.startsWith(`${one.path}/`)
  const found = same.filter(one => (one.match === 'exact' ? one.path === path : isUnder(one)))
  const rank = (one: Route) => (one.match === 'exact' ? 1e6 : one.path.length * 2) + (one.host === undefined ? 0 : 1)
  return found.toSorted((one, other) => rank(other) - rank(one))[0]
}

function describeSatisfy({ settings }: Route, index: number, front: Front): RouteProblem[] {
  if (settings.satisfy !== 'any') return []
  const { basic_auth, allow = front.allow, deny = front.deny, forward_auth } = settings
  const hasPassword = basic_auth !== 'off' && (basic_auth ?? front.basic_auth).file !== undefined
  const hasNetworks = [allow, deny].some(given => given !== undefined && given !== 'off')
  if ([hasPassword, hasNetworks, forward_auth !== undefined].filter(Boolean).length > 1) return []
  const message = 'has no effect: any is for several of basic_auth, allow and deny, and forward_auth'
  return [{ path: ['routes', index, 'satisfy'], message, params: { fix: 'remove satisfy, or set a second one' } }]
}
