import type { LogFormat } from '../base/log.ts'
import { isUnderWildcard } from '../config/named-hosts.ts'
import type { CertificateFiles } from './certificate.ts'
import type { BusyTime } from './nginx-busy.ts'
import type { DynamicRoutes } from './nginx-dynamic-hosts.ts'
import type { FrontRules } from './nginx-front.ts'
import type { OnDemand } from './nginx-on-demand.ts'
import type { RouteRules } from './nginx-route-rules.ts'
import type { UnavailablePage } from './nginx-unavailable.ts'
import type { Upstream } from './nginx-upstream.ts'
import type { FolderShortcuts } from './static-folder.ts'

/** What the installed nginx can do. */
export interface NginxFeatures {
  /** `1.22.1` */
  version: string
  /** `http2 on;` exists (1.25.1); before, HTTP/2 is a word in `listen`. */
  hasHttp2Directive: boolean
  /** Keys of session tickets are made anew by and by, and shared by old and new workers (1.23.2). */
  rotatesTicketKeys: boolean
  /** The module for files that are compressed with Brotli already; undefined when there is none. */
  brotliStaticModule: string | undefined
  /** X25519MLKEM768 is known to its OpenSSL (3.5). */
  hasMlKem: boolean
  /** Files to load for Lua, in this order; none when it is built in, undefined when there is no Lua. */
  luaModules: string[] | undefined
  /** File of the dynamic module that compresses with Brotli. */
  brotliModule: string | undefined
  hasHttp3: boolean
  /** `max_headers` exists: in releases of 2026, and in Debian's older ones since June of it. */
  hasMaxHeaders: boolean
}

export interface ListenAddress {
  address: string
  port: number
}

/** Name, in the writable folder, of nginx's record of requests that a worker took and did not answer. */
export const unansweredName = 'unanswered.log'

/** Everything that the rendered parts of the nginx configuration depend on. */
export interface NginxModel {
  features: NginxFeatures
  /** nginx's own workers; undefined when nginx is not started as root. */
  user: string | undefined
  workerProcesses: number
  /** A writable folder for pid file and temporary files. */
  workDir: string
  accessLog: { path: string; format: LogFormat } | undefined
  http: ListenAddress[]
  https: ListenAddress[]
  httpMode: 'redirect' | 'serve'
  /** Port in redirects to HTTPS. */
  publicHttpsPort: number
  certificates: TlsCertificates | undefined
  /** For names that no certificate is for. */
  onDemand: OnDemand | undefined
  tlsProfile: 'intermediate' | 'modern'
  /** Folder with what a CA asks for on port 80. */
  acmeChallenges: string | undefined
  health: { socket: string; livePath: string; readyPath: string }
  /** For 502, 503 and 504. */
  unavailable: UnavailablePage
  /** Counted where an app is scaled by it. */
  busyTime: BusyTime | undefined
  /** The apps that run as workers. */
  apps: Upstream[]
  upstreams: NginxUpstream[]
  /** For hosts that are not in the configuration. */
  dynamicRoutes: DynamicRoutes | undefined
  /** What answers what. No two have the same host, path and way to match. */
  routes: NginxRoute[]
  front: FrontRules
  /** In place of the installation's. */
  ownNginxConf: OwnNginxConf | undefined
  /** Folder with the user's http.d and server.d, when it exists. */
  snippets: string | undefined
  /** Seconds after which nginx's old workers close what still hangs on them. */
  shutdownTimeoutSeconds: number
}

/** Certificates for the same names; one of each key type. */
export interface TlsCertificateSet {
  names: readonly string[]
  files: readonly CertificateFiles[]
}

export interface TlsCertificates {
  /** For clients that ask for no name, or one that no certificate is for. */
  fallback: TlsCertificateSet
  /** By the name that the client asks for. */
  named: readonly TlsCertificateSet[]
}

/** The user's own nginx.conf. */
export interface OwnNginxConf {
  path: string
  text: string
}

/** Servers elsewhere. Without any, requests for it are answered with 503. */
export interface NginxUpstream {
  name: string
  servers: { address: string; weight: number; isBackup: boolean }[]
  balance: 'least_conn' | 'round_robin' | 'ip_hash'
  keepalive: number
  /** How many servers a request is tried on. */
  tries: number
  maxFails: number
  failTimeoutSeconds: number
  /** Host header for the servers; undefined: the client's. */
  host: string | undefined
  tls: { name: string | undefined; authorities: string | undefined } | undefined
}

export interface NginxRoute {
  /** Where the configuration has it, such as `routes[1]`; undefined: it stands for there being no routes. */
  origin: string | undefined
  /** A host name such as `www.example.com` or `*.example.com`; undefined: any that has no such route of its own. */
  host: string | undefined
  match: 'prefix' | 'exact' | 'regex'
  /** As a prefix `/`, or segments without a slash at the end: `/api` is for `/api` and all below. */
  path: string
  target: RouteTarget
  rules: RouteRules
  /** Path of the user's file with directives for the location. */
  snippet: string | undefined
}

export type RouteTarget = ProxiedTarget | FilesTarget | RedirectTarget | ResponseTarget

export interface ProxiedTarget {
  kind: 'app' | 'upstream'
  name: string
  stripsPrefix: boolean
  rewrite: { from: string; to: string } | undefined
  /** Undefined: as everywhere. */
  readTimeoutMs: number | undefined
  isBuffered: boolean
}

export interface FilesTarget extends FolderShortcuts {
  kind: 'files'
  root: string
  index: string
  /** Path of a file below the root. */
  fallback: string | undefined
  /** The first pattern that fits counts. */
  cache: { pattern: string; value: string }[]
  isListed: boolean
}

export interface RedirectTarget {
  kind: 'redirect'
  to: string
  status: number
  keepsPath: boolean
}

export interface ResponseTarget {
  kind: 'response'
  status: number
  body: string
  contentType: string
}

/**
 * The routes of each host that is named, with those of the wildcards that it falls under, and then those for any host, where it has none
 * of its own at that path; the ones for any host come first.
 */
export function routesByHost(routes: readonly NginxRoute[]): { host: string | undefined; routes: NginxRoute[] }[] {
  const of = (host: string | undefined) => routes.filter(route => route.host === host)
  const hosts = [...new Set(routes.flatMap(({ host }) => host ?? []))]
  const named = hosts.map(host => {
    const wildcards = hosts
      .filter(pattern => isUnderWildcard(host, pattern))
      .sort((one, other) => other.length - one.length)
    const found = of(host)
    for (const level of [...wildcards, undefined]) {
      const taken = new Set(found.map(({ match, path }) => `${match} ${path}`))
      found.push(...of(level).filter(({ match, path }) => !taken.has(`${match} ${path}`)))
    }
    return { host, routes: found }
  })
  return [{ host: undefined, routes: of(undefined) }, ...named]
}

/** Features by the output of `nginx -V`, and by which module files and directives there are. */
export function readFeatures(
  versionText: string,
  isFile: (path: string) => boolean,
  hasDirective: (name: string) => boolean,
): NginxFeatures {
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(versionText)?.[1] ?? '0.0.0'
  // "built with OpenSSL 3.0 (running with OpenSSL 3.5)": what runs counts
  const openssl =
    /running with OpenSSL (\d+)\.(\d+)/.exec(versionText) ?? /built with OpenSSL (\d+)\.(\d+)/.exec(versionText)
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return {
    version,
    hasHttp2Directive: major > 1 || (major === 1 && (minor > 25 || (minor === 25 && patch >= 1))),
    rotatesTicketKeys: major > 1 || (major === 1 && (minor > 23 || (minor === 23 && patch >= 2))),
    brotliStaticModule: findModules(versionText, ['ngx_http_brotli_static_module.so'], isFile)?.[0],
    luaModules: findLua(versionText, isFile),
    hasMlKem: Number(openssl?.[1]) > 3 || (Number(openssl?.[1]) === 3 && Number(openssl?.[2]) >= 5),
    brotliModule: findBrotli(versionText, isFile),
    hasHttp3: versionText.includes('--with-http_v3_module'),
    hasMaxHeaders: hasDirective('max_headers'),
  }
}

/** Debian's modules of Lua. */
function findLua(versionText: string, isFile: (path: string) => boolean): string[] | undefined {
  if (/--add-module=\S*(lua-nginx-module|ngx_lua)/.test(versionText)) return []
  return findModules(versionText, ['ndk_http_module.so', 'ngx_http_lua_module.so'], isFile)
}

/** Where the nginx at hand looks for modules; undefined when one is missing. */
function findModules(
  versionText: string,
  names: readonly string[],
  isFile: (path: string) => boolean,
): string[] | undefined {
  const folder = /--modules-path=(\S+)/.exec(versionText)?.[1]
  if (folder === undefined) return undefined
  const files = names.map(name => `${folder}/${name}`)
  return files.every(isFile) ? files : undefined
}

function findBrotli(versionText: string, isFile: (path: string) => boolean): string | undefined {
  const folder = /--modules-path=(\S+)/.exec(versionText)?.[1]
  const file = `${folder}/ngx_http_brotli_filter_module.so`
  return folder !== undefined && isFile(file) ? file : undefined
}

/** Value of nginx's NGINX variable: the inherited descriptors, which begin at 3 in the child. */
export function inheritedSockets(descriptors: readonly number[]): string {
  return descriptors.map((_, index) => `${index + 3};`).join('')
}
