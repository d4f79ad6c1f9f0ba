import type { WorkerAddress } from './ports.ts'

/** What the installed nginx can do. */
export interface NginxFeatures {
  /** `1.22.1` */
  version: string
  /** `http2 on;` exists (1.25.1); before, HTTP/2 is a word in `listen`. */
  hasHttp2Directive: boolean
  /** X25519MLKEM768 is known to its OpenSSL (3.5). */
  hasMlKem: boolean
}

export interface ListenAddress {
  address: string
  port: number
}

/** Everything that the rendered parts of the nginx configuration depend on. */
export interface NginxModel {
  features: NginxFeatures
  /** nginx's own workers; undefined when nginx is not started as root. */
  user: string | undefined
  workerProcesses: number
  /** A writable folder for pid file and temporary files. */
  workDir: string
  accessLog: { path: string; format: 'text' | 'json' } | undefined
  http: ListenAddress[]
  https: ListenAddress[]
  httpMode: 'redirect' | 'serve'
  /** Port in redirects to HTTPS. */
  publicHttpsPort: number
  certificate: { chain: string; key: string } | undefined
  health: { socket: string; livePath: string; readyPath: string }
  /** Folder with the pages for 502, 503 and 504. */
  pagesDir: string
  content: NginxContent
  /** Folder with the user's http.d and server.d, when it exists. */
  snippets: string | undefined
  /** Seconds after which nginx's old workers close what still hangs on them. */
  shutdownTimeoutSeconds: number
}

export type NginxContent =
  | { kind: 'app'; name: string; servers: WorkerAddress[]; keepalive: number }
  | { kind: 'files'; root: string }

/** Features by the output of `nginx -V`. */
export function readFeatures(versionText: string): NginxFeatures {
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(versionText)?.[1] ?? '0.0.0'
  // "built with OpenSSL 3.0 (running with OpenSSL 3.5)": what runs counts
  const openssl =
    /running with OpenSSL (\d+)\.(\d+)/.exec(versionText) ?? /built with OpenSSL (\d+)\.(\d+)/.exec(versionText)
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return {
    version,
    hasHttp2Directive: major > 1 || (major === 1 && (minor > 25 || (minor === 25 && patch >= 1))),
    hasMlKem: Number(openssl?.[1]) > 3 || (Number(openssl?.[1]) === 3 && Number(openssl?.[2]) >= 5),
  }
}

/** Value of nginx's NGINX variable: the inherited descriptors, which begin at 3 in the child. */
export function inheritedSockets(descriptors: readonly number[]): string {
  return descriptors.map((_, index) => `${index + 3};`).join('')
}
