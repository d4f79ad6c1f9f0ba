import { isGuarded, renderRouteAccess } from '../front/access.ts'
import { cacheAloneRules } from '../front/cache/alone.ts'
import { cacheName, renderCached } from '../front/cache/cache.ts'
import { renderRouteClientCertificate } from '../front/client-certificates.ts'
import { renderRouteCompression } from '../front/compression.ts'
import { renderRouteErrorPages } from '../front/error-pages.ts'
import { renderAuthCookies, renderForwardAuth, signInRules } from '../front/forward-auth.ts'
import { includeHeaders, includeRouteHeaders, renderRouteHeaders, routeHeadersFile } from '../front/headers.ts'
import { isCounted, renderRouteLimits } from '../front/limits.ts'
import { type FrontRules, renderOtherHeaders } from '../front/rules.ts'
import { inProtocol } from '../nginx/protocol.ts'
import { lines } from '../nginx/text.ts'
import { renderCookie } from '../workers/app-upstream.ts'
import { grpcErrorRules } from './grpc-errors.ts'
import { isLeftToCache, isProxied, protocolOf } from './proxied.ts'
import type { RoutesModel, ServedRoute } from './route.ts'

/** Header that nginx does not send, because it is empty, but that stops it from inheriting headers from the server. */
const noHeader = "add_header X-None '';"

type Model = Pick<
  RoutesModel,
  'front' | 'routes' | 'apps' | 'upstreams' | 'busyCounter' | 'filtersResponses' | 'retrySocket'
>

/** Access rules and limits in the locations of a route, where they differ from those of the whole front. */
export function renderAdmission(route: ServedRoute, model: Model): string[] {
  const { front, routes } = model
  const { forwardAuth } = route.rules
  return [
    ...inProtocol(protocolOf(route, model), renderRouteClientCertificate(route.rules, front.clientCertificates)),
    ...renderRouteAccess(route.rules, front.access),
    ...(forwardAuth ? renderForwardAuth(forwardAuth, routes.indexOf(route)) : []),
    ...renderRouteLimits(route.rules, { limits: front.limits, route: routes.indexOf(route) }),
    ...renderPages(route, model),
  ]
}

/** The same for a location that a request enters after the checks of another: it is open, and has the same limit of bodies and pages. */
export function renderAdmitted(route: ServedRoute, model: Model): string[] {
  const { bodySize } = route.rules
  const { clientCertificates } = model.front
  return [
    'include snippets/open.conf;',
    ...inProtocol(protocolOf(route, model), renderRouteClientCertificate(route.rules, clientCertificates)),
    ...(bodySize ? ['# max_body_size', `client_max_body_size ${bodySize};`] : []),
    ...renderPages(route, model),
  ]
}

/** Error pages in the locations of a route, where they differ from those of the whole front. */
export function renderPages(route: ServedRoute, model: Model): string[] {
  if (protocolOf(route, model) === 'grpc') return [...grpcErrorRules]
  const own = isLeftToCache(route, model) ? cacheAloneRules : undefined
  const { bodySize, forwardAuth } = route.rules
  const more = forwardAuth ? signInRules(forwardAuth, model.routes.indexOf(route)) : []
  if (own === undefined && bodySize === undefined && more.length === 0) return []
  return renderRouteErrorPages(
    model.front,
    model.routes.map(({ rules }) => rules),
    { bodySize, own, more, hasRetries: model.retrySocket !== undefined },
  )
}

/** Headers, compression and cache in the locations of a route, where they differ from those of the whole front. */
export function renderResponseRules(route: ServedRoute, { front, routes }: Model): string[] {
  const { compression, cache } = route.rules
  return [
    ...routeHeaders(route, { front, routes }),
    ...(compression ? renderRouteCompression(compression, front.compression) : []),
    ...(cache === 'off' && isProxied(route) ? ['# cache', 'proxy_cache off;'] : []),
    ...(cache && cache !== 'off' ? renderCached(cache, cacheName(route)) : []),
  ]
}

/** Include of the headers of a route; empty if it has those of the whole front. */
export function routeHeaders(route: ServedRoute, { front, routes }: Pick<Model, 'front' | 'routes'>): string[] {
  return hasOwnHeaders(route, front) ? ['# headers', includeRouteHeaders(routes.indexOf(route))] : []
}

/** Whether access rules or limits may reject a request for a route. `return` would respond before nginx checks them. */
export function mayRefuse({ rules }: ServedRoute, { limits, access }: FrontRules): boolean {
  const { rate = limits.rate, connections = limits.connections } = rules
  return isGuarded(rules, access) || isCounted([{ rate, connections }])
}

/** Include of the front's headers for a block with an `add_header` of its own, unless the block includes the route's headers. */
export function includeFrontHeaders(route: ServedRoute, front: FrontRules): string[] {
  return hasOwnHeaders(route, front) ? [] : [includeHeaders]
}

/** Header files of routes, by name. An `add_header` in a location replaces all those of the server, cookies too. */
export function routeFrontFiles({ front, routes, apps }: Model): [string, string][] {
  return routes.flatMap((route, number): [string, string][] => {
    if (!hasOwnHeaders(route, front)) return []
    const { headers = front.headers, cache = front.cache, hasOwnHsts = false } = route.rules
    const hsts = hasOwnHsts ? undefined : front.hsts
    const own = [
      ...renderRouteHeaders(headers, front.headers, number),
      ...renderOtherHeaders({ ...front, hsts }, cache === 'off' ? undefined : cache),
      ...(route.rules.forwardAuth ? renderAuthCookies() : []),
      ...apps.filter(({ name }) => route.target.kind === 'app' && route.target.name === name).flatMap(renderCookie),
    ]
    return [[routeHeadersFile(number), lines(own.length > 0 ? own : [noHeader])]]
  })
}

function hasOwnHeaders({ rules: { headers, cache, forwardAuth } }: ServedRoute, front: FrontRules): boolean {
  return (
    headers !== undefined ||
    forwardAuth !== undefined ||
    (cache !== undefined && (cache === 'off') === (front.cache !== undefined))
  )
}
