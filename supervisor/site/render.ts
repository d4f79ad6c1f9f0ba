import { renderDynamicHosts } from '../dynamic-routes/hosts.ts'
import { dynamicTargets } from '../dynamic-routes/locations.ts'
import { routePageFiles } from '../dynamic-routes/pages.ts'
import { renderNobody } from '../front/cache/alone.ts'
import { renderRedirects } from '../front/forwarded.ts'
import { renderMaintenanceMap } from '../front/maintenance/lines.ts'
import { renderRequestCounter, renderRequestReport } from '../front/requests/request-counter.ts'
import { renderResponseHeads } from '../front/response-heads.ts'
import { frontFiles, renderFront } from '../front/rules.ts'
import { renderSpool } from '../front/spool.ts'
import { unavailableFiles } from '../front/unavailable.ts'
import type { RenderedNginx } from '../nginx/complaint.ts'
import { renderConnectionStatus } from '../nginx/connection-watch.ts'
import { renderEvents, renderOpenFiles } from '../nginx/connections.ts'
import { generationFile, generationSocketOf, renderGeneration } from '../nginx/generation.ts'
import { errorLogName } from '../nginx/log-tails.ts'
import { includeOwn, renderCopies } from '../nginx/own-files.ts'
import { renderProtocols } from '../nginx/protocol.ts'
import { lines, quote } from '../nginx/text.ts'
import { routeFrontFiles } from '../routes/front.ts'
import { renderRouteMaps } from '../routes/locations.ts'
import { ownPagesOf } from '../routes/own-pages.ts'
import { isLeftToCache } from '../routes/proxied.ts'
import { routesByHost } from '../routes/route.ts'
import { keyOfDirective } from '../routes/snippet-directives.ts'
import { renderUpstream } from '../upstreams/lines.ts'
import { renderAppUpstream } from '../workers/app-upstream.ts'
import { renderBusyCounter } from '../workers/autoscaling/busy-counter.ts'
import { renderRetryMap } from '../workers/deaths/retry-locations.ts'
import { renderLogs } from './log.ts'
import { luaKeys, renderLuaPath } from './lua.ts'
import type { NginxModel } from './model.ts'
import {
  healthPaths,
  protocolsOf,
  redirectsByMap,
  renderHealthServer,
  renderHttpServers,
  renderHttpsServers,
  renderSite,
  sitesOf,
} from './servers.ts'

/** nginx configuration for a model. */
export function renderConfiguration(model: NginxModel): RenderedNginx {
  return { files: renderNginx(model), ownConf: model.ownNginxConf, keyOf: keyOfDirective }
}

/** Rendered files by name, relative to the configuration directory. */
export function renderNginx(model: NginxModel): Map<string, string> {
  return new Map([
    ...(model.ownNginxConf ? [['nginx.conf', model.ownNginxConf.text] as const] : []),
    ['rendered/main.conf', renderMain(model)],
    ['rendered/events.conf', lines(renderEvents(model.connections))],
    ['rendered/http.conf', renderHttp(model)],
    [generationFile, renderGeneration(generationSocketOf(model.workDir))],
    ...frontFiles(model.front, model.routes),
    ...routeFrontFiles(model),
    ...sitesOf(model).map((site): [string, string] => [site.file, renderSite(model, site)]),
    ...unavailableFiles(model.unavailable),
    ...(model.dynamicRoutes ? routePageFiles(model.dynamicRoutes) : []),
    ...renderCopies(model.ownFiles),
  ])
}

function renderMain(model: NginxModel): string {
  const { brotliModule, brotliStaticModule, luaModules } = model.features
  const looksForBrotli = model.routes.some(({ target }) =>
    target.kind === 'files' ? target.looksForBrotli : 'php' in target && target.php?.looksForBrotli,
  )
  const lua = luaKeys(model)
  return lines([
    // directives above the first comment depend on no key
    'daemon off;',
    // a warning for each stored body would let clients fill the log
    `error_log ${quote(`${model.workDir}/${errorLogName}`)} error;`,
    ...(model.user ? [`user ${model.user};`] : []),
    ...(lua.length > 0 ? loadModules(lua.join(', '), luaModules ?? []) : []),
    ...(brotliModule && compressesWithBrotli(model) ? loadModules('compression', [brotliModule]) : []),
    ...(looksForBrotli && brotliStaticModule ? loadModules('routes', [brotliStaticModule]) : []),
    '# nginx.worker_processes',
    `worker_processes ${model.workerProcesses};`,
    ...renderOpenFiles(model.connections, model.ownNginxConf),
    '# nginx.drain_timeout',
    `worker_shutdown_timeout ${model.drainTimeoutSeconds}s;`,
    '# run_dir',
    `pid ${quote(`${model.workDir}/nginx.pid`)};`,
  ])
}

function loadModules(keys: string, files: readonly string[]): string[] {
  return [`# ${keys}`, ...files.map(file => `load_module ${quote(file)};`)]
}

function renderHttp(model: NginxModel): string {
  const proxied = [...model.routes, ...(model.dynamicRoutes ? dynamicTargets(model) : [])]
  return lines([
    `ssl_ecdh_curve ${model.features.hasMlKem ? 'X25519MLKEM768:' : ''}X25519:prime256v1:secp384r1;`,
    // a key that never changes would decrypt all recorded traffic, and tickets would not survive a reload
    ...(model.features.rotatesTicketKeys ? [] : ['ssl_session_tickets off;']),
    // the limit of Apache and Gunicorn; nginx's default is 1000
    ...(model.features.hasMaxHeaders ? ['max_headers 100;'] : []),
    // a request may be on its way on a connection that a reload would close
    ...(model.features.hasKeepaliveMinTimeout ? ['keepalive_min_timeout 10s;'] : []),
    `include ${generationFile};`,
    ...renderSpool(model.spool),
    ...renderResponseHeads(),
    ...renderProtocols(protocolsOf(model), [...renderResponseHeads(), ...renderSpool(model.spool)]),
    ...renderLogs(model),
    '# tls.profile',
    `include snippets/tls-${model.tlsProfile}.conf;`,
    ...renderFront(model.front, {
      ...model,
      open: healthPaths(model),
      hosts: routesByHost(model.routes).map(({ routes }) => routes),
    }),
    ...renderMaintenanceMap({ ...model, open: healthPaths(model), ownPages: ownPagesOf(model.routes) }),
    ...(redirectsByMap(model) ? renderRedirects(healthPaths(model), model.acmeChallenges) : []),
    ...renderLuaPath(model),
    ...model.apps.flatMap(renderAppUpstream),
    ...(model.statusSocket
      ? renderConnectionStatus(model.statusSocket, model.requestCounter ? renderRequestReport() : [])
      : []),
    ...(model.requestCounter ? renderRequestCounter(countRoutes(model)) : []),
    ...(model.busyCounter ? renderBusyCounter(model.busyCounter) : []),
    ...(model.retrySocket ? renderRetryMap() : []),
    ...model.upstreams.flatMap(renderUpstream),
    ...(proxied.some(route => isLeftToCache(route, model)) ? renderNobody() : []),
    ...(model.dynamicRoutes ? renderDynamicHosts(model.dynamicRoutes) : []),
    ...renderRouteMaps(model),
    ...(model.snippets ? ['', '# nginx.snippets', includeOwn(`${model.snippets}/http.d/*.conf`)] : []),
    ...(model.health.ports.length > 0 ? renderHealthServer(model) : []),
    ...(model.http.length > 0 ? renderHttpServers(model) : []),
    ...(model.https.length > 0 ? renderHttpsServers(model) : []),
  ])
}

/** Number of routes under which requests are counted, as far as each host has its own. */
function countRoutes({ routes, requestCounter }: NginxModel): number {
  return requestCounter?.hasHosts
    ? routesByHost(routes).reduce((sum, host) => sum + host.routes.length, 0)
    : routes.length
}

function compressesWithBrotli({ front, routes }: NginxModel): boolean {
  const own = routes.flatMap(({ rules: { compression } }) => (compression && compression !== 'off' ? compression : []))
  return [front.compression, ...own].some(compression => compression?.hasBrotli)
}
