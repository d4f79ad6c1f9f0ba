import { lines } from '../nginx/text.ts'
import { type Access, renderAccess, renderKnownHosts, renderUnknownHost, type UnknownHost } from './access.ts'
import { type Cache, cacheHeader, cacheName, renderCached, renderCaches } from './cache/cache.ts'
import { type ClientCertificates, clientCertificateFiles } from './client-certificates.ts'
import { type Compression, renderCompression } from './compression.ts'
import { refuseDotSegments, renderDotSegments } from './dot-segments.ts'
import { errorPageFiles, renderErrorPages } from './error-pages.ts'
import { renderTrust, type Trust } from './forwarded.ts'
import {
  includeHeaders,
  type ResponseHeader,
  renderHeaders,
  renderHeaderValues,
  renderRouteHeaderValues,
} from './headers.ts'
import { type Hsts, hstsHeader, renderHsts } from './hsts.ts'
import { altSvcHeader, type Http3, renderAltSvc } from './http3.ts'
import { type Limits, renderLimits, renderLimitsOf } from './limits.ts'
import type { RuledRoute } from './route-rules.ts'
import { renderSendFiles, type SendFiles } from './send-files.ts'

/** What holds for the whole front, whatever app or folder answers. Each part is rendered by a file of its own. */
export interface FrontRules {
  trust: Trust
  /** Undefined: answers go out as they are. */
  compression: Compression | undefined
  headers: readonly ResponseHeader[]
  http3: Http3 | undefined
  hsts: Hsts | undefined
  limits: Limits
  access: Access
  clientCertificates: ClientCertificates | undefined
  unknownHost: UnknownHost | undefined
  cache: Cache | undefined
  sendFiles: SendFiles
  /** The user's own HTML for errors of nginx, by status. */
  errorPages: ReadonlyMap<string, string>
}

interface FrontContext {
  /** What has rules of its own. */
  routes: readonly RuledRoute[]
  /** nginx's own folder. */
  workDir: string
}

/** For the http block. At the `open` paths, which are for anybody, what holds clients off does not hold. */
export function renderFront(
  front: FrontRules,
  surroundings: FrontContext & { open: readonly string[]; acmeChallenges: string | undefined },
): string[] {
  const { trust, compression, headers, http3, hsts, limits, unknownHost, cache } = front
  const { routes, workDir, open } = surroundings
  const caches = routes.flatMap(route => {
    const own = route.rules.cache
    return own && own !== 'off' ? [{ cache: own, name: cacheName(route) }] : []
  })
  return [
    '',
    ...renderTrust(trust),
    '',
    ...renderCompression(compression),
    ...renderHeaderValues(headers),
    ...routes.flatMap(({ rules }, number) => renderRouteHeaderValues(rules.headers ?? [], headers, number)),
    ...(http3 ? renderAltSvc(http3) : []),
    ...(hsts ? renderHsts(hsts) : []),
    '',
    ...renderLimits(limits, rulesOf(routes), open),
    ...(unknownHost ? renderKnownHosts(unknownHost, surroundings) : []),
    ...renderDotSegments(rulesOf(routes)),
    ...renderCaches(cache, caches, workDir),
  ]
}

/** For the server blocks that serve. */
export function renderFrontSite(front: FrontRules, { routes, workDir }: FrontContext): string[] {
  return [
    '# headers',
    includeHeaders,
    ...renderUnknownHost(front.unknownHost),
    ...refuseDotSegments(rulesOf(routes)),
    ...renderAccess(front.access),
    ...renderLimitsOf(front.limits, rulesOf(routes)),
    ...renderErrorPages(front, rulesOf(routes), `${workDir}/current`),
    ...(front.cache ? renderCached(front.cache) : []),
    ...renderSendFiles(front.sendFiles, front.headers),
  ]
}

/** Files beside the rendered ones, by name. */
export function frontFiles(front: FrontRules, routes: readonly RuledRoute[]): [string, string][] {
  const headers = [...renderHeaders(front.headers), ...renderOtherHeaders(front, front.cache)]
  return [
    ['rendered/headers.conf', lines(headers)],
    ...errorPageFiles(front, rulesOf(routes)),
    ...clientCertificateFiles(front.clientCertificates),
  ]
}

/** For a file with headers: those that nobody gives a value. */
export function renderOtherHeaders(
  { http3, hsts }: Pick<FrontRules, 'http3' | 'hsts'>,
  cache: Cache | undefined,
): string[] {
  return [
    ...(http3 ? ['# http3', altSvcHeader] : []),
    ...(hsts ? ['# tls.hsts', hstsHeader] : []),
    ...(cache ? ['# cache', cacheHeader] : []),
  ]
}

function rulesOf(routes: readonly RuledRoute[]) {
  return routes.map(({ rules }) => rules)
}
