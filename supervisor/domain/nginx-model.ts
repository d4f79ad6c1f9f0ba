import type { LogFormat } from '../base/log.ts'
import type { CertificateFiles } from './certificate.ts'
import type { BusyTime } from './nginx-busy.ts'
import type { FrontRules } from './nginx-front.ts'
import type { UnavailablePage } from './nginx-unavailable.ts'
import type { Upstream } from './nginx-upstream.ts'

/** What the installed nginx can do. */
export interface NginxFeatures {
  /** `1.22.1` */
  version: string
  /** `http2 on;` exists (1.25.1); before, HTTP/2 is a word in `listen`. */
  hasHttp2Directive: boolean
  /** X25519MLKEM768 is known to its OpenSSL (3.5). */
  hasMlKem: boolean
  /** Files to load for Lua, in this order; none when it is built in, undefined when there is no Lua. */
  luaModules: string[] | undefined
  /** File of the dynamic module that compresses with Brotli. */
  brotliModule: string | undefined
  hasHttp3: boolean
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
  /** Which of them, or which files, answer what. No two have the same host and path. */
  routes: NginxRoute[]
  front: FrontRules
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

export interface NginxRoute {
  /** A host name such as `www.example.com` or `*.example.com`; undefined: any that has no such route of its own. */
  host: string | undefined
  /** `/`, or segments without a slash at the end: `/api` is for `/api` and all below. */
  path: string
  target: RouteTarget
}

export type RouteTarget = { kind: 'app'; app: string } | { kind: 'files'; root: string }

/**
 * The routes of each host that is named, with those for any host where it has none of its own at that path; the ones for
 * any host come first.
 */
export function routesByHost(routes: readonly NginxRoute[]): { host: string | undefined; routes: NginxRoute[] }[] {
  const general = routes.filter(({ host }) => host === undefined)
  const hosts = [...new Set(routes.flatMap(({ host }) => host ?? []))]
  const named = hosts.map(host => {
    const own = routes.filter(route => route.host === host)
    return { host, routes: [...own, ...general.filter(({ path }) => own.every(route => route.path !== path))] }
  })
  return [{ host: undefined, routes: general }, ...named]
}

/** Features by the output of `nginx -V`, and by which module files there are. */
export function readFeatures(versionText: string, isFile: (path: string) => boolean): NginxFeatures {
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(versionText)?.[1] ?? '0.0.0'
  // "built with OpenSSL 3.0 (running with OpenSSL 3.5)": what runs counts
  const openssl =
    /running with OpenSSL (\d+)\.(\d+)/.exec(versionText) ?? /built with OpenSSL (\d+)\.(\d+)/.exec(versionText)
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return {
    version,
    hasHttp2Directive: major > 1 || (major === 1 && (minor > 25 || (minor === 25 && patch >= 1))),
    luaModules: findLua(versionText, isFile),
    hasMlKem: Number(openssl?.[1]) > 3 || (Number(openssl?.[1]) === 3 && Number(openssl?.[2]) >= 5),
    brotliModule: findBrotli(versionText, isFile),
    hasHttp3: versionText.includes('--with-http_v3_module'),
  }
}

/** Debian's modules of Lua, where the nginx at hand looks for modules. */
function findLua(versionText: string, isFile: (path: string) => boolean): string[] | undefined {
  if (/--add-module=\S*(lua-nginx-module|ngx_lua)/.test(versionText)) return []
  const folder = /--modules-path=(\S+)/.exec(versionText)?.[1]
  if (folder === undefined) return undefined
  const files = ['ndk_http_module.so', 'ngx_http_lua_module.so'].map(name => `${folder}/${name}`)
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
