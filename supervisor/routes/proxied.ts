import { renderCredentials } from '../front/access.ts'
import { refuseEmptySegment } from '../front/ambiguous-paths.ts'
import { isCached, renderCacheAlone } from '../front/cache/alone.ts'
import { bytesOf } from '../front/cache/cache.ts'
import { renderCookieSkip } from '../front/compression.ts'
import { renderCopiedHeaders } from '../front/forward-auth.ts'
import { renderRouteResponseHeads } from '../front/response-heads.ts'
import type { FrontRules } from '../front/rules.ts'
import { renderRouteSpool } from '../front/spool.ts'
import { includeSettings, inProtocol, needsLength, type Protocol, passTo, rejectUnsized } from '../nginx/protocol.ts'
import { callLua, quote } from '../nginx/text.ts'
import { upstreamName } from '../upstreams/lines.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { appGroup } from '../workers/app-upstream.ts'
import { renderRequestLog } from '../workers/request-log.ts'
import { renderStreamLimits } from './grpc-errors.ts'
import { isPhp, renderScript } from './php.ts'
import type { ProxiedTarget, RoutesModel, ServedRoute } from './route.ts'

/** Values of snippets/proxy.conf; a location contains only what differs. */
const usualTries = 3
const usualConnectMs = 5000

/** Route to an app or upstream. */
export interface ProxiedRoute extends ServedRoute {
  target: ProxiedTarget
}

/**
 * Map for the path to send, in a variable, for a route that changes it. It starts from the path as the client wrote it:
 * a path that nginx has decoded cannot be encoded again as it was.
 */
export function renderPathMap({ path, target }: ProxiedRoute, variable: string): string[] {
  if (target.rewrite) {
    const { from, to } = target.rewrite
    return [
      `map $monohull_path ${variable} {`,
      '    default $monohull_path;',
      `    ${quote(`~${from}`)} ${quote(to)};`,
      '}',
    ]
  }
  return target.stripsPrefix ? renderRestMap(path, variable) : []
}

/** Map for the rest of the client's path below `path`, with its leading slash; empty if the client encoded the path unusually. */
export function renderRestMap(path: string, variable: string): string[] {
  return renderMatch(`~^${escapeRegex(path)}(/.*)$`, variable)
}

/** The same without leading slashes, to follow one: a browser reads `//` and even `/\` as the beginning of a host. */
export function renderBareRestMap(path: string, variable: string): string[] {
  return renderMatch(`~^${escapeRegex(path)}[/\\\\]*(.*)$`, variable)
}

function renderMatch(pattern: string, variable: string): string[] {
  return [`map $monohull_path ${variable} {`, "    default '';", `    ${quote(pattern)} $1;`, '}']
}

/** Part of nginx's model that the locations of proxied routes depend on. */
export interface ProxiedModel extends PeerModel, Pick<RoutesModel, 'front' | 'spool' | 'pauseGate'> {
  /** Whether some clients may use one route and not another. */
  differsInAccess: boolean
}

/** Bodies of the locations at and below the path. The two differ if the prefix is stripped. `address`: instead of the target's servers. */
export function renderProxied(
  route: ProxiedRoute,
  model: ProxiedModel,
  variable: string,
  address?: string,
): { at: string[]; below: string[] } {
  const { path, target } = route
  const found = findPeer(target, model)
  const peer = found && { ...found, address: address ?? found.address }
  if (!peer) {
    const body = isLeftToCache(route, model) ? renderCacheAlone() : ['return 503;']
    return { at: body, below: body }
  }
  const common = inProtocol(peer.protocol, [
    ...(peer.host ? [`set $monohull_sent_host ${peer.host};`] : []),
    includeSettings(peer.protocol),
    ...(needsLength(peer.protocol) && !(target.spool.storesBodies && model.spool.storesBodies) ? rejectUnsized : []),
    ...(isPhp(route)
      ? renderScript(route, { variable, isChosen: address !== undefined })
      : renderPathInfo(peer.protocol)),
    ...renderAuthorization(route.rules, model.front),
    ...renderCookieSkip(route.rules.compression ?? model.front.compression),
    ...renderReadTimeout(target),
    ...(peer.protocol === 'grpc' ? renderStreamLimits(route.rules.bodySize, target.readTimeoutMs) : []),
    ...renderBuffering(model.front, route),
    ...renderRouteResponseHeads(target.headSize),
    ...renderStoring(peer.protocol === 'grpc' ? passedOn(route) : route, model),
    ...peer.options,
    ...renderResponseFilter(route, model),
    ...renderAddresses(target.stripsPrefix ? path : '', peer.host),
  ])
  const pass = (uri = '') => passTo(peer.protocol, peer.address, { tls: peer.hasTls, uri })
  const changed = pass(`${variable}$is_args$args`)
  const refusal = model.differsInAccess ? refuseEmptySegment(variable) : []
  if (target.rewrite) return { at: [...refusal, ...common, changed], below: [...refusal, ...common, changed] }
  const whole = [...common, pass()]
  if (!target.stripsPrefix) return { at: whole, below: whole }
  return {
    at: [...common, pass('/$is_args$args')],
    // /%61pi/x matches too, but does not begin with the prefix as written
    below: [`if (${variable} = '') {`, '    return 400;', '}', ...refusal, ...common, changed],
  }
}

type AuthorizingFront = Pick<FrontRules, 'access' | 'copiedHeaders'>

/** The whole path for a FastCGI app that has no scripts. */
function renderPathInfo(protocol: Protocol): string[] {
  return protocol === 'fastcgi' ? ['fastcgi_param PATH_INFO $document_uri;'] : []
}

/** Route of which nginx stores no bodies. */
function passedOn({ rules, target }: ProxiedRoute): {
  rules: ServedRoute['rules']
  target: Pick<ProxiedTarget, 'spool'>
} {
  return { rules, target: { spool: { ...target.spool, storesBodies: false } } }
}

/** Authorization for the target of a route, or for an address without one. */
export function renderAuthorization(rules: ServedRoute['rules'], front: AuthorizingFront): string[] {
  return [...renderCredentials(rules, front.access), ...renderCopiedHeaders(rules.forwardAuth, front.copiedHeaders)]
}

/**
 * Buffering of a route, or of an address without one. nginx stores only responses that it buffers. A process of PHP-FPM has one request at a
 * time, and should not wait for slow clients.
 */
export function renderBuffering(front: Pick<FrontRules, 'cache'>, route?: ProxiedRoute): string[] {
  const byDefault = isCached(route?.rules ?? {}, front) || (route && isPhp(route)) ? 'on' : 'off'
  return (route?.target.buffering ?? byDefault) === 'on' ? [] : ['proxy_buffering off;']
}

/** Check of each response of a route, or of an address without one. The rules of a cache include it. */
export function renderResponseFilter(
  { rules, target }: { rules: ServedRoute['rules']; target: { kind?: ProxiedTarget['kind'] } },
  { front, filtersResponses }: Pick<RoutesModel, 'front' | 'filtersResponses'>,
): string[] {
  const caches = [front.cache, rules.cache]
  const hasRules = caches.some(cache => cache && cache !== 'off' && cache.hasLua)
  if (!filtersResponses || hasRules) return []
  return [callLua('header_filter', 'response.check', ...(target.kind === 'app' ? ['app'] : []))]
}

/** Bounds of what nginx stores for requests of a route, and the gate that they wait at during a pause. */
export function renderStoring(
  { rules, target }: { rules: ServedRoute['rules']; target: Pick<ProxiedTarget, 'spool'> },
  { front, spool, pauseGate }: Pick<RoutesModel, 'front' | 'spool' | 'pauseGate'>,
): string[] {
  const maxBody = bytesOf(rules.bodySize ?? front.limits.bodySize ?? '0')
  const cache = rules.cache ?? front.cache
  const choosesCache = cache !== undefined && cache !== 'off' && cache.hasLua
  return renderRouteSpool(target.spool, { spool, maxBody, pauseGate, choosesCache })
}

/**
 * Timeouts of a route. A request that exceeds them is not retried elsewhere: each server would do the same work, and soon all
 * servers of the upstream would count as failed. If the time is shorter than the connect timeout allows, connecting gets half of it.
 */
function renderReadTimeout({ readTimeoutMs }: ProxiedTarget): string[] {
  if (readTimeoutMs === undefined) return []
  return [
    `proxy_read_timeout ${readTimeoutMs}ms;`,
    `proxy_next_upstream_timeout ${readTimeoutMs}ms;`,
    ...(readTimeoutMs < 2 * usualConnectMs ? [`proxy_connect_timeout ${Math.ceil(readTimeoutMs / 2)}ms;`] : []),
  ]
}

/** Protocol of the target of a route. */
export function protocolOf(
  { target }: Pick<ServedRoute, 'target'>,
  model: Pick<RoutesModel, 'apps' | 'upstreams'>,
): Protocol {
  if (target.kind !== 'app' && target.kind !== 'upstream') return 'http'
  const peers = target.kind === 'app' ? model.apps : model.upstreams
  return peers.find(({ name }) => name === target.name)?.protocol ?? 'http'
}

/** Whether a route leads to an app or upstream. */
export function isProxied(route: Pick<ServedRoute, 'target'>): route is Pick<ProxiedRoute, 'target'> {
  return route.target.kind === 'app' || route.target.kind === 'upstream'
}

/** Whether only the cache can respond: no server of the target is available. */
export function isLeftToCache(route: ServedRoute, model: PeerModel & Pick<RoutesModel, 'front'>): boolean {
  if (!isProxied(route) || findPeer(route.target, model)) return false
  return protocolOf(route, model) === 'http' && isCached(route.rules, model.front)
}

type PeerModel = Pick<RoutesModel, 'apps' | 'upstreams' | 'busyCounter' | 'filtersResponses'>

/** Server group that gets the requests. */
interface Peer {
  protocol: Protocol
  /** Name of the group, or its address. */
  address: string
  hasTls: boolean
  host: string | undefined
  options: string[]
}

function findPeer({ kind, name }: ProxiedTarget, model: PeerModel): Peer | undefined {
  return kind === 'app' ? findApp(name, model) : findUpstream(name, model)
}

function findApp(name: string, model: PeerModel): Peer | undefined {
  const app = model.apps.find(candidate => candidate.name === name && candidate.servers.length > 0)
  if (!app) return undefined
  const options = [...(app.tellsTls ? ['include snippets/tell-tls.conf;'] : []), ...renderRequestLog(name, model)]
  return { protocol: app.protocol ?? 'http', address: appGroup(app), hasTls: false, host: undefined, options }
}

/** Servers of an upstream; undefined without any. */
export function findUpstream(name: string, { upstreams }: Pick<RoutesModel, 'upstreams'>): Peer | undefined {
  const upstream = upstreams.find(candidate => candidate.name === name && candidate.servers.length > 0)
  if (!upstream) return undefined
  const { protocol = 'http', tls, host } = upstream
  const address = upstreamName(upstream)
  return { protocol, address, hasTls: tls !== undefined, host, options: renderUpstreamOptions(upstream) }
}

function renderUpstreamOptions({ tries, tls }: Upstream): string[] {
  return [
    ...(tries === usualTries ? [] : [`proxy_next_upstream_tries ${tries};`]),
    // without a name, nginx would send that of its own server group
    ...(tls?.name ? ['proxy_ssl_server_name on;', `proxy_ssl_name ${tls.name};`] : []),
    ...(tls?.authorities
      ? [
          'proxy_ssl_verify on;',
          'proxy_ssl_verify_depth 4;',
          `proxy_ssl_trusted_certificate ${quote(tls.authorities)};`,
        ]
      : []),
  ]
}

/**
 * Directives that map addresses in response headers back to the public host and the prefix, for servers that do not know them:
 * Location, Refresh, and the domains and paths of cookies. The first matching rule applies. An address that contains the prefix
 * stays unchanged. So does a cookie for `/`: pages outside the route may have to read it.
 */
function renderAddresses(prefix: string, ownHost: string | undefined): string[] {
  const foreign = ownHost
    ? [
        `proxy_redirect ~^https?://${escapeRegex(ownHost)}(?::\\d+)?/(.*)$ ${prefix}/$1;`,
        `proxy_cookie_domain ${ownHost} $host;`,
      ]
    : []
  if (prefix === '') return foreign
  const escaped = escapeRegex(prefix)
  // addresses of this server, as an app makes them from the headers that it gets
  const origins = ['http', 'https'].flatMap(scheme =>
    ['$monohull_host', '$host', '$host:$monohull_port'].map(host => `${scheme}://${host}`),
  )
  return [
    `proxy_set_header X-Forwarded-Prefix ${prefix};`,
    ...foreign,
    `proxy_redirect ~^((?:https?://[^/?#]+)?${escaped}(?:[/?#].*)?)$ $1;`,
    `proxy_redirect ~^/(?!/)(.*)$ ${prefix}/$1;`,
    ...origins.map(origin => `proxy_redirect ${origin}/ ${origin}${prefix}/;`),
    `proxy_cookie_path ~^(${escaped}(?:/.*)?)$ $1;`,
    `proxy_cookie_path ~^/(.+)$ ${prefix}/$1;`,
  ]
}

function escapeRegex(text: string): string {
  return text.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&')
}
