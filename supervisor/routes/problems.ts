import type { Route } from './keys.ts'
import { findLoop } from './redirect-loops.ts'

export interface RouteProblem {
  path: (string | number)[]
  message: string
  /** `also`: another key that the problem is about; its place in the file is told too. */
  params: { fix: string; also?: (string | number)[] }
}

/** What the routes of a configuration lead to, and what has their paths already. */
export interface RouteContext {
  apps: readonly string[]
  upstreams: readonly string[]
  health: { live_path: string; ready_path: string }
  basic_auth: { file?: string | undefined }
}

/** The app that gets everything when no route is given; undefined when nothing tells. */
export function fallbackApp(names: readonly string[]): string | undefined {
  if (names.length === 1) return names[0]
  return ['web', 'app'].find(name => names.includes(name))
}

/** What is wrong with routes together; undefined stands for one that is not well-formed by itself. */
export function describeRouteProblems(
  routes: readonly (Route | undefined)[] | undefined,
  context: RouteContext,
): RouteProblem[] {
  const { apps } = context
  if (!routes) {
    if (apps.length === 0 || fallbackApp(apps) !== undefined) return []
    const fix = `set routes, such as [{path: /, app: ${apps[0]}}, {path: /${apps[1]}, app: ${apps[1]}}], or call one app web`
    return [{ path: ['apps'], message: `which of ${apps.join(', ')} answers requests is not said`, params: { fix } }]
  }
  return routes.flatMap((route, index) => {
    if (!route) return []
    return [
      ...describeTarget(route, index, context),
      ...describeConflict(routes, route, index),
      ...describeLoop(routes, route, index),
      ...describeHealthConflict(route, index, context),
      ...describeUselessCache(route, index, context),
    ]
  })
}

function describeTarget({ target }: Route, index: number, { apps, upstreams }: RouteContext): RouteProblem[] {
  if (target.kind !== 'app' && target.kind !== 'upstream') return []
  const known = target.kind === 'app' ? apps : upstreams
  if (known.includes(target.name)) return []
  const fix =
    known.length > 0 ? `name one of the ${target.kind}s: ${known.join(', ')}` : `set ${target.kind}s.${target.name}`
  return [
    { path: ['routes', index, target.kind], message: `is no ${target.kind} of this configuration`, params: { fix } },
  ]
}

function describeConflict(
  routes: readonly (Route | undefined)[],
  { host, path, match }: Route,
  index: number,
): RouteProblem[] {
  const same = routes.findIndex(other => other?.host === host && other?.path === path && other.match === match)
  if (same === index) return []
  const also = ['routes', same, 'path']
  const message = `is the same host and path as that of routes.${same}`
  return [{ path: ['routes', index, 'path'], message, params: { fix: 'leave one of the two out', also } }]
}

/** A redirect that leads back to itself, by others too: the first of them is told. */
function describeLoop(routes: readonly (Route | undefined)[], route: Route, index: number): RouteProblem[] {
  const { target, path } = route
  // by itself it is told already
  if (target.kind !== 'redirect' || target.to === path) return []
  const loop = findLoop(routes, route).map(other => routes.indexOf(other))
  const other = loop.at(-1)
  if (other === undefined || Math.min(...loop) < index) return []
  const at = ['routes', index, 'redirect', 'to']
  if (other === index) {
    const fix = 'name a path outside of it, or add a route for that path'
    return [{ path: at, message: 'leads back to this route', params: { fix } }]
  }
  const also = ['routes', other, 'redirect', 'to']
  const message = `leads back to this route, by the redirect of routes.${other}`
  return [{ path: at, message, params: { fix: 'name another path in one of the two', also } }]
}

function describeHealthConflict(
  { path, match }: Route,
  index: number,
  { health }: Pick<RouteContext, 'health'>,
): RouteProblem[] {
  if (match === 'regex') return []
  const key = (['live_path', 'ready_path'] as const).find(name => health[name] === path)
  if (!key) return []
  const fix = `take another path for one of the two, or set health.${key} to off`
  return [{ path: ['routes', index, 'path'], message: `is health.${key}, which monohull answers`, params: { fix } }]
}

/** What was asked with a password is for one person, and never comes from a cache. */
function describeUselessCache(
  { settings: { cache = 'off', basic_auth } }: Route,
  index: number,
  front: Pick<RouteContext, 'basic_auth'>,
): RouteProblem[] {
  if (cache === 'off' || basic_auth === 'off' || (basic_auth ?? front.basic_auth).file === undefined) return []
  const message = 'is of no use behind basic_auth: a request with a password is never answered from it'
  return [
    {
      path: ['routes', index, 'cache'],
      message,
      params: { fix: 'leave it out, or set basic_auth to off for this route' },
    },
  ]
}
