import { inBatches } from '../base/batches.ts'
import { bytesOf } from '../front/cache/cache.ts'
import { renderCookieSkip } from '../front/compression.ts'
import { type CountedRoute, otherHost, routeId } from '../front/requests/counted-route.ts'
import { renderCounted } from '../front/requests/request-counter.ts'
import { inProtocol } from '../nginx/protocol.ts'
import { block, callLua, quote } from '../nginx/text.ts'
import { countRoute, renderRouteCount } from '../routes/counted.ts'
import { renderPages } from '../routes/front.ts'
import {
  type ProxiedRoute,
  protocolOf,
  renderAuthorization,
  renderBuffering,
  renderProxied,
  renderResponseFilter,
  renderStoring,
} from '../routes/proxied.ts'
import { isGuarded, nextAddress, renderGuard } from '../routes/retries.ts'
import { type RoutesModel, spoolsAll } from '../routes/route.ts'
import { mayBeTarget } from '../routes/upstream-targets.ts'
import type { DynamicHosts } from './hosts.ts'
import { renderRoutePages } from './pages.ts'

/** Targets in one string at most, even with the longest names: nginx reads Lua strings of up to 4096 bytes. */
const mostTargets = 10

/** Context of the locations of dynamic routes. */
interface DynamicLocations {
  hosts: DynamicHosts
  /** Access rules of these locations, in addition to those of the server. */
  admission: readonly string[]
  /** Directory with the files in use. */
  configDirectory: string
}

/** Locations of dynamic routes: one that looks up the host, and one for each possible target. */
export function renderDynamicRoutes(model: RoutesModel, context: DynamicLocations): string[] {
  const { hosts, configDirectory } = context
  const { basicAuth } = model.front.access
  // a route with passwords of its own turns those of the server off
  const admission = [...context.admission, ...(basicAuth ? ['auth_basic $monohull_realm;'] : [])]
  const targets = targetsOf(model)
  const pairs = inBatches(targets, mostTargets).map(batch =>
    batch.map(({ target, location }) => `${target} ${location}`).join(' '),
  )
  const makesIds = model.requestCounter?.makesIds ?? false
  return [
    '# dynamic_routes',
    'set $monohull_kept_target "";',
    'add_header Set-Cookie $monohull_kept_target always;',
    ...block('/', [
      ...preliminary(model).flatMap(([id]) => ['# metrics', renderCounted(id, { isProxied: true, makesIds })]),
      // a route may allow more than the whole front; Lua checks either
      'client_max_body_size 0;',
      'set $monohull_address "";',
      ...(basicAuth ? [`set $monohull_realm ${quote(basicAuth.realm)};`] : []),
      'lua_socket_log_errors off;',
      callLua('rewrite', 'routes.route', `unix:${hosts.lookupSocket}`, settingsOf(model, hosts), ...pairs),
      // for one address, without another location
      ...addressLines(model, admission),
    ]),
    ...renderRoutePages(hosts, configDirectory),
    ...targets.flatMap(({ location, route }) => renderTarget(location, route, model, admission)),
    ...block('@monohull_address', addressLines(model, admission)),
    ...block('@monohull_addresses', [
      ...(model.filtersResponses ? countingLines : []),
      ...addressLines(model, admission),
    ]),
  ]
}

/** Lines for the location of several addresses: requests to each are counted. */
const countingLines = ['set $monohull_target "";', callLua('log', 'route_address.log')]

function addressLines(model: RoutesModel, admission: readonly string[]): string[] {
  return [
    ...admission,
    'include snippets/proxy.conf;',
    ...renderAuthorization({}, model.front),
    ...renderCookieSkip(model.front.compression),
    ...renderBuffering(model.front),
    ...renderStoring({ rules: {}, target: { spool: spoolsAll } }, model),
    ...renderResponseFilter({ rules: {}, target: {} }, model),
    // the server may be foreign: it must not make nginx send files of an app
    'proxy_ignore_headers X-Accel-Redirect;',
    'proxy_pass http://monohull_address;',
  ]
}

/** Settings as nginx/lua/monohull/routes.lua reads them. */
function settingsOf({ front }: RoutesModel, { unknown, staleForSeconds }: DynamicHosts): string {
  return `unknown ${unknown} stale ${staleForSeconds} body ${bytesOf(front.limits.bodySize ?? '0')}`
}

function renderTarget(
  location: string,
  route: ProxiedRoute,
  model: RoutesModel,
  admission: readonly string[],
): string[] {
  const own = inProtocol(protocolOf(route, model), admission)
  const rules = [...renderRouteCount(route, undefined, model), ...own, ...renderPages(route, model)]
  // they send the path as the client wrote it
  const proxied = { ...model, differsInAccess: false }
  const { below } = renderProxied(route, proxied, '')
  if (!isGuarded(route, model)) return block(location, [...rules, ...below])
  const next = `${location}_next`
  const guarded = [...rules, ...renderGuard(route, model, next)]
  return [
    ...block(location, [...guarded, ...below]),
    ...block(next, [...guarded, ...renderProxied(route, proxied, '', nextAddress).below]),
  ]
}

/** Every counted route of these locations by its id. */
export function dynamicCounted(model: RoutesModel): [string, CountedRoute][] {
  return [...preliminary(model), ...targetsOf(model).flatMap(({ route }) => countRoute(route, undefined, model))]
}

/** Id and labels of requests whose target is an address, or not known yet. A route may require a password. */
function preliminary({ requestCounter }: Pick<RoutesModel, 'requestCounter'>): [string, CountedRoute][] {
  if (!requestCounter) return []
  const labels = { route: '/', ...(requestCounter.hasHosts ? { host: otherHost } : {}) }
  return [[routeId(labels, 'dynamic', { hasCache: false, isGuarded: true, isPreliminary: true }), labels]]
}

/** Routes to every possible target of a host, as if they were configured. */
export function dynamicTargets(model: RoutesModel): ProxiedRoute[] {
  return targetsOf(model).map(({ route }) => route)
}

/** Apps and upstreams that a host may lead to. */
function targetsOf({ apps, upstreams }: RoutesModel): { target: string; location: string; route: ProxiedRoute }[] {
  return [
    ...apps.map(({ name }) => ({ kind: 'app' as const, name })),
    ...upstreams.filter(mayBeTarget).map(({ name }) => ({ kind: 'upstream' as const, name })),
  ].map(({ kind, name }) => ({
    target: `${kind}:${name}`,
    location: `@monohull_${kind}_${name}`,
    route: toPeer(kind, name),
  }))
}

function toPeer(kind: 'app' | 'upstream', name: string): ProxiedRoute {
  return {
    origin: undefined,
    host: undefined,
    match: 'prefix',
    path: '/',
    target: {
      kind,
      name,
      stripsPrefix: false,
      rewrite: undefined,
      readTimeoutMs: undefined,
      buffering: undefined,
      headSize: undefined,
      spool: spoolsAll,
    },
    rules: {},
    snippet: undefined,
  }
}
