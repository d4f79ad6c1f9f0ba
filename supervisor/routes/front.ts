import { isGuarded, renderRouteAccess } from '../front/access.ts'
import { cacheAloneRules } from '../front/cache/alone.ts'
import { cacheName, renderCached } from '../front/cache/cache.ts'
import { renderRouteClientCertificate } from '../front/client-certificates.ts'
import { renderRouteCompression } from '../front/compression.ts'
import { renderRouteErrorPages } from '../front/error-pages.ts'
import { includeHeaders, includeRouteHeaders, renderRouteHeaders, routeHeadersFile } from '../front/headers.ts'
import { isCounted, renderRouteLimits } from '../front/limits.ts'
import { type FrontRules, renderOtherHeaders } from '../front/rules.ts'
import { inProtocol } from '../nginx/protocol.ts'
import { lines } from '../nginx/text.ts'
import { renderCookie } from '../workers/app-upstream.ts'
import { isLeftToCache, protocolOf } from './proxied.ts'
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
  return [
    ...inProtocol(protocolOf(route, model), renderRouteClientCertificate(route.rules, front.clientCertificates)),
    ...renderRouteAccess(route.rules, front.access),
    ...renderRouteLimits(route.rules, { limits: front.limits, route: routes.indexOf(route) }),
    ...renderPages(route, model),
  ]
}

/** Error pages in the locations of a route, where they differ from those of the whole front. */
export function renderPages(route: ServedRoute, model: Model): string[] {
  const own = isLeftToCache(route, model) ? cacheAloneRules : undefined
  if (own === undefined && route.rules.bodySize === undefined) return []
  return renderRouteErrorPages(
    model.front,
    model.routes.map(({ rules }) => rules),
    { ...route.rules, own, hasRetries: model.retrySocket !== undefined },
  )
}

/** Headers, compression and cache in the locations of a route, where they differ from those of the whole front. */
export function renderResponseRules(route: ServedRoute, { front, routes }: Model): string[] {
  const { compression, cache } = route.rules
  return [
    ...(hasOwnHeaders(route, front) ? ['# headers', includeRouteHeaders(routes.indexOf(route))] : []),
    ...(compression ? renderRouteCompression(compression, front.compression) : []),
    ...(cache === 'off' ? ['# cache', 'proxy_cache off;'] : []),
    ...(cache && cache !== 'off' ? renderCached(cache, cacheName(route)) : []),
  ]
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
      ...apps.filter(({ name }) => route.target.kind === 'app' && route.target.name === name).flatMap(renderCookie),
    ]
    return [[routeHeadersFile(number), lines(own.length > 0 ? own : [noHeader])]]
  })
}

function hasOwnHeaders({ rules: { headers, cache } }: ServedRoute, front: FrontRules): boolean {
  return headers !== undefined || (cache !== undefined && (cache === 'off') === (front.cache !== undefined))
}
