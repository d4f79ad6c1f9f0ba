import { isUnderWildcard } from '../base/host-name.ts'
import type { Route } from './keys.ts'

/** Browsers give up sooner. */
const mostSteps = 50

/**
 * The redirects on the way by which whoever asks for the path of one comes back to it without end, itself the first; none when there is
 * no such way. Where a regular expression may step in, nothing is said.
 */
export function findLoop(routes: readonly (Route | undefined)[], start: Route): Route[] {
  const own = routes.filter((route): route is Route => {
    const host = route?.host
    return host === start.host || host === undefined || isUnderWildcard(start.host ?? '', host)
  })
  if (start.match === 'regex' || routes.some(route => !route || route.match === 'regex')) return []
  const way: Route[] = []
  let path = start.path
  while (way.length < mostSteps) {
    const route = findRoute(own, path)
    const next = route && nextPath(route, path)
    if (!route || next === undefined) return []
    way.push(route)
    path = next
  }
  const first = way.indexOf(start)
  const again = way.indexOf(start, first + 1)
  return again > first ? way.slice(first, again) : []
}

/** The route that answers: an exact one, else the longest prefix; of two alike, that of the closer host. */
function findRoute(routes: readonly Route[], path: string): Route | undefined {
  const fits = ({ path: own, match }: Route) =>
    own === path || (match === 'prefix' && (own === '/' || path.startsWith(`${own}/`)))
  const rank = ({ path: own, match, host }: Route) =>
    (match === 'exact' ? 1e6 : 0) + own.length * 1000 + (host?.length ?? 0)
  return routes.filter(fits).sort((one, other) => rank(other) - rank(one))[0]
}

/** Where a redirect leads on this host; undefined: elsewhere, or it is none. */
function nextPath({ path: own, match, target }: Route, path: string): string | undefined {
  if (target.kind !== 'redirect' || !/^\/(?!\/)/.test(target.to)) return undefined
  const to = target.to.replace(/[?#].*$/, '')
  if (!target.keep_path || match === 'exact') return to
  const rest = own === '/' ? path : path.slice(own.length)
  return rest === '' ? to : to.replace(/\/$/, '') + rest
}
