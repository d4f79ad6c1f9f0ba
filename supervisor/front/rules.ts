import { lines } from '../nginx/text.ts'
import { type Access, renderAccess, renderKnownHosts, renderUnknownHost, type UnknownHost } from './access.ts'
import { refuseAmbiguousPaths, renderAmbiguousPaths } from './ambiguous-paths.ts'
import { type Cache, cacheHeader, cacheName, renderCached, renderCaches } from './cache/cache.ts'
import { type ClientCertificates, clientCertificateFiles } from './client-certificates.ts'
import { type Compression, renderCompression } from './compression.ts'
import { errorPageFiles, renderErrorPages } from './error-pages.ts'
import { type PublicPorts, renderPublicPorts, renderTrust, type Trust } from './forwarded.ts'
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

/** Rules of the whole front, for every app and directory. Each part is rendered by its own file. */
export interface FrontRules {
  trust: Trust
  publicPorts: PublicPorts
  /** Undefined: responses are not compressed. */
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
  /** Headers of auth servers that some route passes on. No app gets a client's. */
  copiedHeaders: readonly string[]
  /** Custom HTML for nginx's errors, by status. */
  errorPages: ReadonlyMap<string, string>
}

interface FrontContext {
  /** Routes with their rules. */
  routes: readonly RuledRoute[]
  /** nginx's working directory. */
  workDir: string
}

/** Routes of one host, or of all others. */
export interface HostRoutes {
  number: number
  routes: readonly RuledRoute[]
}

/** Lines for the http block. Rules that reject clients do not apply to the `open` paths. */
export function renderFront(
  front: FrontRules,
  context: FrontContext & {
    open: readonly string[]
    acmeChallenges: string | undefined
    hosts: readonly (readonly RuledRoute[])[]
  },
): string[] {
  const { trust, publicPorts, compression, headers, http3, hsts, limits, unknownHost, cache } = front
  const { routes, workDir, open, hosts } = context
  const caches = routes.flatMap(route => {
    const own = route.rules.cache
    return own && own !== 'off' ? [{ cache: own, name: cacheName(route) }] : []
  })
  return [
    '',
    ...renderTrust(trust),
    ...renderPublicPorts(publicPorts, http3?.publicPort),
    '',
    ...renderCompression(compression),
    ...renderHeaderValues(headers),
    ...routes.flatMap(({ rules }, number) => renderRouteHeaderValues(rules.headers ?? [], headers, number)),
    ...(http3 ? renderAltSvc(http3) : []),
    ...(hsts ? renderHsts(hsts) : []),
    '',
    ...renderLimits(limits, rulesOf(routes), open),
    ...(unknownHost ? renderKnownHosts(unknownHost, context) : []),
    ...renderAmbiguousPaths(hosts),
    ...renderCaches(cache, caches, workDir),
  ]
}

/** Lines for the server blocks that serve the site. `host`: the routes of its hosts; undefined: dynamic routes. */
export function renderFrontSite(
  front: FrontRules,
  { routes, workDir, host }: FrontContext & { host: HostRoutes | undefined },
): string[] {
  return [
    '# headers',
    includeHeaders,
    ...renderUnknownHost(front.unknownHost),
    ...(host ? refuseAmbiguousPaths(host.routes, host.number) : []),
    ...renderAccess(front.access),
    ...renderLimitsOf(front.limits, rulesOf(routes)),
    ...renderErrorPages(front, rulesOf(routes), `${workDir}/current`),
    ...(front.cache ? renderCached(front.cache) : []),
    ...renderSendFiles(front.sendFiles, front.headers),
  ]
}

/** Files in addition to the rendered ones, by name. */
export function frontFiles(front: FrontRules, routes: readonly RuledRoute[]): [string, string][] {
  const headers = [...renderHeaders(front.headers), ...renderOtherHeaders(front, front.cache)]
  return [
    ['rendered/headers.conf', lines(headers)],
    ...errorPageFiles(front, rulesOf(routes)),
    ...clientCertificateFiles(front.clientCertificates),
  ]
}

/** Directives for a file with headers that other keys configure: Alt-Svc, HSTS and X-Cache. */
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
