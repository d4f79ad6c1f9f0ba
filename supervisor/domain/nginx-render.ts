import type { ListenAddress, NginxContent, NginxModel } from './nginx-model.ts'
import type { WorkerAddress } from './ports.ts'

/** Longer than any queue: a full backlog makes connecting fail at once. Another value than nginx's default is what makes it call listen(2). */
const backlog = 4096
/** nginx must close idle connections to a worker before the worker does. */
const upstreamIdle = '4s'
const retryAfterSeconds = 5
/** Shared memory of an upstream: what nginx needs for itself, and for a server and its double. */
const zoneKilobytes = 64
const zoneKilobytesPerServer = 8

/** The rendered files, by name relative to the configuration folder. */
export function renderNginx(model: NginxModel): Map<string, string> {
  return new Map([
    ['rendered/main.conf', renderMain(model)],
    ['rendered/http.conf', renderHttp(model)],
    ['rendered/site.conf', renderSite(model)],
  ])
}

function renderMain(model: NginxModel): string {
  return lines([
    'daemon off;',
    'error_log stderr warn;',
    ...(model.user ? [`user ${model.user};`] : []),
    `worker_processes ${model.workerProcesses};`,
    `worker_shutdown_timeout ${model.shutdownTimeoutSeconds}s;`,
    `pid ${quote(`${model.workDir}/nginx.pid`)};`,
  ])
}

function renderHttp(model: NginxModel): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${quote(`${model.workDir}/${name}`)};`,
  )
  return lines([
    model.accessLog
      ? `access_log ${quote(model.accessLog.path)} monohull_${model.accessLog.format};`
      : 'access_log off;',
    ...temporary,
    `ssl_ecdh_curve ${model.features.hasMlKem ? 'X25519MLKEM768:' : ''}X25519:prime256v1:secp384r1;`,
    ...renderUpstream(model.content),
    ...(model.snippets ? ['', `include ${quote(`${model.snippets}/http.d/*.conf`)};`] : []),
    ...(model.http.length > 0 ? renderHttpServer(model) : []),
    ...(model.https.length > 0 ? renderHttpsServer(model) : []),
  ])
}

function renderUpstream(content: NginxContent): string[] {
  if (content.kind !== 'app' || content.servers.length === 0) return []
  const addresses = content.servers.map(renderAddress)
  return [
    '',
    `upstream ${upstreamName(content)} {`,
    `    zone ${upstreamName(content)} ${zoneKilobytes + zoneKilobytesPerServer * addresses.length}k;`,
    '    least_conn;',
    ...addresses.map(address => `    server ${address} max_fails=0;`),
    // once more as backup: a request that every worker dropped waits in a queue for the worker to come back
    ...addresses.map(address => `    server ${address} max_fails=0 backup;`),
    ...(content.keepalive > 0 ? [`    keepalive ${content.keepalive};`, `    keepalive_timeout ${upstreamIdle};`] : []),
    '}',
  ]
}

function renderHttpServer(model: NginxModel): string[] {
  const port = model.publicHttpsPort === 443 ? '' : `:${model.publicHttpsPort}`
  return [
    '',
    'server {',
    ...model.http.map(address => `    listen ${renderListen(address)};`),
    '    server_name _;',
    ...(model.httpMode === 'redirect'
      ? [
          ...renderHealth(model).map(line => `    ${line}`),
          '    location / {',
          `        return 308 https://$host${port}$request_uri;`,
          '    }',
        ]
      : ['    include rendered/site.conf;']),
    '}',
  ]
}

function renderHttpsServer(model: NginxModel): string[] {
  const { hasHttp2Directive } = model.features
  return [
    '',
    'server {',
    ...model.https.map(address => `    listen ${renderListen(address)} ssl${hasHttp2Directive ? '' : ' http2'};`),
    ...(hasHttp2Directive ? ['    http2 on;'] : []),
    '    server_name _;',
    ...(model.certificate
      ? [
          `    ssl_certificate ${quote(model.certificate.chain)};`,
          `    ssl_certificate_key ${quote(model.certificate.key)};`,
        ]
      : []),
    '    include rendered/site.conf;',
    '}',
  ]
}

/** What the HTTP and the HTTPS server have in common when both serve. */
function renderSite(model: NginxModel): string {
  return lines([
    ...renderHealth(model),
    'error_page 502 503 504 /unavailable.html;',
    'location = /unavailable.html {',
    '    internal;',
    `    root ${quote(model.pagesDir)};`,
    `    add_header Retry-After ${retryAfterSeconds} always;`,
    '    add_header Cache-Control no-store always;',
    '}',
    ...renderContent(model.content),
    ...(model.snippets ? [`include ${quote(`${model.snippets}/server.d/*.conf`)};`] : []),
  ])
}

function renderHealth({ health }: NginxModel): string[] {
  return [health.livePath, health.readyPath]
    .filter(path => path !== 'off')
    .flatMap(path => [
      `location = ${path} {`,
      '    include snippets/health.conf;',
      `    proxy_pass http://unix:${health.socket}:${path};`,
      '}',
    ])
}

function renderContent(content: NginxContent): string[] {
  if (content.kind === 'files') {
    return [
      `root ${quote(content.root)};`,
      'index index.html;',
      'location / {',
      '    try_files $uri $uri/ =404;',
      '}',
      'location ~ /\\.(?!well-known/) {',
      '    return 404;',
      '}',
    ]
  }
  if (content.servers.length === 0) return ['location / {', '    return 503;', '}']
  return ['location / {', '    include snippets/proxy.conf;', `    proxy_pass http://${upstreamName(content)};`, '}']
}

function upstreamName(content: Extract<NginxContent, { kind: 'app' }>): string {
  return `app_${content.name}`
}

function renderAddress(address: WorkerAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `127.0.0.1:${address.port}`
}

/** The default of its address, so that a server in the user's http.d gets only the names it asks for. */
function renderListen({ address, port }: ListenAddress): string {
  const where = address.includes(':') ? `[${address}]:${port} ipv6only=on` : `${address}:${port}`
  return `${where} default_server backlog=${backlog}`
}

/** A value as nginx reads it back. There is no way to write a `$` that is no variable: paths that hold one are refused before. */
function quote(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function lines(parts: string[]): string {
  return `${parts.join('\n')}\n`
}
