import { isUnderWildcard } from '../base/host-name.ts'
import type { Route } from './keys.ts'

/** Redirects that are followed at most; browsers give up sooner. */
const mostSteps = 50

/**
 * Routes of the redirect loop through `start`, beginning with `start`; empty if there is none. With a regular expression among the
 * routes the result is always empty, because it may match on the way.
 */
export function findLoop(routes: readonly (Route | undefined)[], start: Route): Route[] {
  const own = routes.filter((route): route is Route => {
    const host = route?.host
    return host === start.host || host === undefined || isUnderWildcard(start.host ?? '', host)
  })
  if (start.match === 'regex' || routes.some(route => !route || route.match === 'regex')) return []
  const followed: Route[] = []
  let path = start.path
  while (followed.length < mostSteps) {
    const route = findRoute(own, path)
    const next = route && nextPath(route, path)
    if (!route || next === undefined) return []
    followed.push(route)
    path = next
  }
  const first = followed.indexOf(start)
  const again = followed.indexOf(start, first + 1)
  return again > first ? followed.slice(first, again) : []
}

/** Route that matches a path: an exact one, else the longest prefix; of two equal ones, that of the more specific host. */
function findRoute(routes: readonly Route[], path: string): Route | undefined {
  const fits = ({ path: own, match }: Route) =>
    own === path || (match === 'prefix' && (own === '/' || path.startsWith(`${own}/`)))
  const rank = ({ path: own, match, host }: Route) =>
    (match === 'exact' ? 1e6 : 0) + own.length * 1000 + (host?.length ?? 0)
  return routes.filter(fits).sort((one, other) => rank(other) - rank(one))[0]
}

/** Path on this host that a redirect leads to; undefined for another host, or if the route is not a redirect. */
function nextPath({ path: own, match, target }: Route, path: string): string | undefined {
  if (target.kind !== 'redirect' || !/^\/(?!\/)/.test(target.to)) return undefined
  const to = target.to.replace(/[?#].*$/, '')
  if (!target.keep_path || match === 'exact') return to
  const rest = own === '/' ? path : path.slice(own.length)
  return rest === '' ? to : to.replace(/\/$/, '') + rest
}
