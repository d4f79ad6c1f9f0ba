import { dirname } from 'node:path'
import { formatAddress, isIpv6 } from '../base/address.ts'
import { renderChallenges } from '../certificates/acme/challenge-location.ts'
import { renderOnDemand } from '../certificates/on-demand/handshake.ts'
import { plainHosts } from '../dynamic-routes/hosts.ts'
import { renderDynamicRoutes } from '../dynamic-routes/locations.ts'
import { renderUnknownHost } from '../front/access.ts'
import { renderClientCertificates, renderRouteClientCertificate } from '../front/client-certificates.ts'
import { listenProtocol, mayComeByHttps } from '../front/forwarded.ts'
import { renderQuicListen } from '../front/http3.ts'
import { renderMaintenance } from '../front/maintenance/lines.ts'
import { renderCounting, renderUncounted } from '../front/requests/request-counter.ts'
import { type HostRoutes, renderFrontSite } from '../front/rules.ts'
import { renderUnavailable } from '../front/unavailable.ts'
import { everyRequest } from '../nginx/connections.ts'
import type { ListenAddress } from '../nginx/listen-address.ts'
import { includeOwn } from '../nginx/own-files.ts'
import type { Protocol } from '../nginx/protocol.ts'
import { callLua, lines, quote } from '../nginx/text.ts'
import { renderGrpcErrors } from '../routes/grpc-errors.ts'
import { renderRoutes } from '../routes/locations.ts'
import { routesByHost } from '../routes/route.ts'
import { renderCookie } from '../workers/app-upstream.ts'
import { renderRetryLocation } from '../workers/deaths/retry-locations.ts'
import type { NginxModel } from './model.ts'
import { type Site, type TlsServer, tlsServers } from './tls-servers.ts'

/** Longer than any queue: with a full backlog, connecting fails immediately. nginx calls listen(2) only if the value is not its default. */
const backlog = 4096
/** TCP probes of an idle connection, which end it 7 minutes after its client has vanished: a WebSocket of such a client would keep an app awake. */
const keepalive = '5m:30s:4'

/** Locations shared by some hosts; without hosts, by all others. */
export interface HostSite {
  hosts: readonly string[]
  file: string
  /** Undefined: dynamic routes. */
  own: HostRoutes | undefined
  locations: () => string[]
}

/** One site for each host with routes of its own, and one for all other hosts; with dynamic routes, two. */
export function sitesOf(model: NginxModel): HostSite[] {
  const { dynamicRoutes } = model
  const named = new Set(model.routes.map(({ host }) => host))
  const sites = routesByHost(model.routes).map(({ host, routes }, index): HostSite => {
    const file = index === 0 ? 'rendered/site.conf' : `rendered/site-${index}.conf`
    const plain = dynamicRoutes ? plainHosts(dynamicRoutes).filter(name => !named.has(name)) : []
    const hosts = host === undefined ? plain : [host]
    return { hosts, file, own: { number: index, routes }, locations: () => renderRoutes(routes, model, host) }
  })
  if (!dynamicRoutes) return sites
  const admission = renderRouteClientCertificate({}, model.front.clientCertificates)
  const configDirectory = `${model.workDir}/current`
  const locations = () => renderDynamicRoutes(model, { hosts: dynamicRoutes, admission, configDirectory })
  return [{ hosts: [], file: 'rendered/site-dynamic.conf', own: undefined, locations }, ...sites]
}

/** Sites by host. */
function tlsSites(model: NginxModel): Site[] {
  return sitesOf(model).flatMap(({ hosts, file }) =>
    (hosts.length > 0 ? hosts : [undefined]).map(host => ({ host, file })),
  )
}

/** Protocols that nginx speaks to apps and upstreams. */
export function protocolsOf({ apps, upstreams }: NginxModel): Protocol[] {
  return [...apps, ...upstreams].flatMap(({ protocol }) => protocol ?? [])
}

/** Whether each request must be inspected to decide on the redirect to HTTPS. */
export function redirectsByMap({ httpMode, front }: NginxModel): boolean {
  return httpMode === 'redirect' && mayComeByHttps(front.trust)
}

/** Paths of health checks that are on. */
export function healthPaths({ health }: NginxModel): string[] {
  return [health.livePath, health.readyPath].filter(path => path !== 'off')
}

/** Servers for HTTP: the sites, or the redirect to HTTPS. */
export function renderHttpServers(model: NginxModel): string[] {
  const protocol = listenProtocol(model.front.trust)
  const port = model.publicHttpsPort === 443 ? '' : `:${model.publicHttpsPort}`
  const redirects = redirectsByMap(model)
  const redirect = `return 308 https://${redirects ? '$monohull_host_name' : '$host'}${port}$request_uri;`
  // gRPC without TLS: nginx finds HTTP/2 by its first bytes, and serves HTTP/1 at the same port
  const hasH2c = model.features.hasHttp2Directive && model.httpMode === 'serve' && protocolsOf(model).includes('grpc')
  if (model.httpMode === 'serve' || redirects) {
    return sitesOf(model).flatMap(site => [
      '',
      '# http_port, bind_addresses, https',
      'server {',
      ...model.http.map(
        address => `    listen ${renderListen(address, { isDefault: site.hosts.length === 0 })}${protocol};`,
      ),
      ...(hasH2c ? ['    http2 on;'] : []),
      `    server_name ${site.hosts.join(' ') || '_'};`,
      `    include ${site.file};`,
      // after the site, which may have rejected the host
      ...(redirects ? ['    if ($monohull_redirects) {', `        ${redirect}`, '    }'] : []),
      '}',
    ])
  }
  return [
    '',
    '# http_port, bind_addresses, https, public_https_port',
    'server {',
    ...model.http.map(address => `    listen ${renderListen(address, { isDefault: true })}${protocol};`),
    '    server_name _;',
    ...[
      ...renderCounting(model.requestCounter),
      ...renderUnknownHost(model.front.unknownHost),
      ...renderChallenges(model),
      ...renderHealth(model),
    ].map(line => `    ${line}`),
    '    location / {',
    `        ${redirect}`,
    '    }',
    '}',
  ]
}

/** Servers for HTTPS. */
export function renderHttpsServers(model: NginxModel): string[] {
  return tlsServers(model, tlsSites(model)).flatMap(server => renderHttpsServer(model, server))
}

function renderHttpsServer(model: NginxModel, server: TlsServer): string[] {
  const { hasHttp2Directive } = model.features
  const protocol = `ssl${hasHttp2Directive ? '' : ' http2'}${listenProtocol(model.front.trust)}`
  return [
    '',
    '# https_port, bind_addresses, cert_dir',
    'server {',
    ...model.https.map(address => `    listen ${renderListen(address, server)} ${protocol};`),
    ...(model.front.http3 ? renderQuicListen(model.https, server.isDefault).map(line => `    ${line}`) : []),
    ...(hasHttp2Directive ? ['    http2 on;'] : []),
    `    server_name ${server.names.join(' ') || '_'};`,
    ...server.certificates.flatMap(({ chain, key }) => [
      `    ssl_certificate ${quote(chain)};`,
      `    ssl_certificate_key ${quote(key)};`,
    ]),
    ...renderClientCertificates(model.front.clientCertificates, `${model.workDir}/current`).map(line => `    ${line}`),
    // nginx knows the server only later, so it runs for all of them
    ...(model.acmeHandshakes !== undefined && server.isDefault
      ? [`    ${callLua('ssl_client_hello', 'alpn.serve', model.acmeHandshakes)}`]
      : []),
    ...(model.onDemand && server.isOnDemand
      ? renderOnDemand(model.onDemand, server.wildcard).map(line => `    ${line}`)
      : []),
    `    include ${server.file};`,
    '}',
  ]
}

/** Directives that the HTTP and HTTPS servers of a host share if both serve. */
export function renderSite(model: NginxModel, { own, locations }: HostSite): string {
  return lines([
    ...renderCounting(model.requestCounter),
    ...renderFrontSite(model.front, { ...model, host: own }),
    ...renderMaintenance(model.workDir, { hasLua: model.features.luaModules !== undefined }),
    ...renderChallenges(model),
    ...renderHealth(model),
    ...renderUnavailable(`${model.workDir}/current`, {
      hasRetries: model.retrySocket !== undefined,
      phases: renderPagePhases(model),
    }),
    ...(model.retrySocket ? renderRetryLocation(model.retrySocket) : []),
    ...model.apps.flatMap(renderCookie),
    ...(protocolsOf(model).includes('grpc') ? renderGrpcErrors() : []),
    ...locations(),
    ...(model.snippets ? ['# nginx.snippets', includeOwn(`${model.snippets}/server.d/*.conf`)] : []),
  ])
}

/** What nginx runs for a page in place of a response: the head that it omits after one without a head, and the worker in the access log. */
function renderPagePhases({ filtersResponses, workDir }: NginxModel): string[] {
  if (!filtersResponses) return []
  return [callLua('body_filter', 'response.add_head'), callLua('log', 'worker.log_page', dirname(workDir))]
}

function renderHealth(model: NginxModel): string[] {
  return healthPaths(model).flatMap(path => [
    '# health',
    `location = ${path} {`,
    `    ${everyRequest}`,
    ...renderUncounted(model.requestCounter).map(line => `    ${line}`),
    ...(model.features.luaModules
      ? [
          '    access_log off;',
          '    include snippets/open.conf;',
          '    lua_socket_log_errors off;',
          `    ${callLua('content', 'health.respond', `unix:${model.health.socket}`)}`,
        ]
      : ['    include snippets/health.conf;', `    proxy_pass http://unix:${model.health.socket}:${path};`]),
    '}',
  ])
}

/** Server for health checks alone, by clients that do not speak the PROXY protocol. */
export function renderHealthServer(model: NginxModel): string[] {
  return [
    '',
    '# health.port, bind_addresses',
    'server {',
    ...model.health.ports.map(address => `    listen ${renderListen(address, { isDefault: true })};`),
    '    server_name _;',
    '    access_log off;',
    ...renderHealth(model).map(line => `    ${line}`),
    '    location / {',
    '        return 404;',
    '    }',
    '}',
  ]
}

/** Address of `listen`. The server for any host is the default one, so that a server in the user's http.d gets only its own names. */
function renderListen({ address, port }: ListenAddress, { isDefault }: { isDefault: boolean }): string {
  const where = formatAddress(address, port)
  // options of the socket may be set only once
  return isDefault
    ? `${where}${isIpv6(address) ? ' ipv6only=on' : ''} default_server backlog=${backlog} so_keepalive=${keepalive}`
    : where
}
