import type { LogFormat } from '../base/log.ts'
import type { OnDemand } from '../certificates/on-demand/handshake.ts'
import type { TlsCertificates } from '../certificates/tls-certificates.ts'
import type { DynamicHosts } from '../dynamic-routes/hosts.ts'
import type { RequestCounter } from '../front/requests/request-counter.ts'
import type { FrontRules } from '../front/rules.ts'
import type { Spool } from '../front/spool.ts'
import type { UnavailablePage } from '../front/unavailable.ts'
import type { AccessRules } from '../logs/access-rules.ts'
import type { Traces } from '../logs/traces.ts'
import type { NginxConnections } from '../nginx/connections.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { ListenAddress } from '../nginx/listen-address.ts'
import type { OwnNginxConf } from '../nginx/own-conf.ts'
import type { OwnFiles } from '../nginx/own-files.ts'
import type { ServedRoute } from '../routes/route.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import type { AppUpstream } from '../workers/app-upstream.ts'
import type { BusyCounter } from '../workers/autoscaling/busy-counter.ts'

/** Access log. */
export interface AccessLog extends AccessRules {
  path: string
  /** Files with the same lines. */
  files?: readonly string[]
  format: LogFormat
}

/** Model of the nginx configuration: everything that its rendered parts depend on. */
export interface NginxModel {
  features: NginxFeatures
  /** User of nginx's workers; undefined if nginx is not started as root. */
  user: string | undefined
  workerProcesses: number
  connections: NginxConnections
  /** Writable directory for the pid file. */
  workDir: string
  /** Unix socket on which nginx reports its connections; undefined if it cannot. */
  statusSocket: string | undefined
  /** Bounds of what nginx stores for clients. */
  spool: Spool
  accessLog: AccessLog | undefined
  traces: Traces
  http: ListenAddress[]
  https: ListenAddress[]
  httpMode: 'redirect' | 'serve'
  /** Port in redirects to HTTPS. */
  publicHttpsPort: number
  certificates: TlsCertificates | undefined
  /** Certificates on demand, for names without a certificate. */
  onDemand: OnDemand | undefined
  tlsProfile: 'intermediate' | 'modern'
  /** Directory with the challenge files that a CA requests on port 80. */
  acmeChallenges: string | undefined
  /** Socket with the HTTP-01 challenges of other instances; undefined without shared_state. */
  sharedChallenges?: string | undefined
  /** Directory with the certificates of challenges that a CA requests on port 443. */
  acmeHandshakes: string | undefined
  health: { socket: string; livePath: string; readyPath: string; ports: ListenAddress[] }
  /** Page for 502, 503 and 504. */
  unavailable: UnavailablePage
  /** Busy time of workers, counted for apps that are scaled by it. */
  busyCounter: BusyCounter | undefined
  /** Undefined: requests are not counted. */
  requestCounter: RequestCounter | undefined
  /** Whether nginx runs Lua for each response of an app or upstream: not beside such directives of the user, which it would replace. */
  filtersResponses: boolean
  /** Apps with workers. */
  apps: AppUpstream[]
  upstreams: Upstream[]
  /** Routes of hosts that are not in the configuration. */
  dynamicRoutes: DynamicHosts | undefined
  /** Routes; no two have the same host, path and match. */
  routes: ServedRoute[]
  front: FrontRules
  /** The user's nginx.conf, in place of the built-in one. */
  ownNginxConf: OwnNginxConf | undefined
  /** Unix socket on which nginx asks about requests whose worker died; undefined without Lua, or without apps. */
  retrySocket: string | undefined
  /** Directory with the user's http.d and server.d, if it exists. */
  snippets: string | undefined
  /** The user's nginx files: those in `snippets`, and the snippets of routes. */
  ownFiles: OwnFiles
  /** Lines of snippets/proxy.conf, in which a route's snippet may replace some. */
  proxySettings: readonly string[]
  /** File that lets requests to apps and upstreams wait while it exists; undefined while nothing is paused. */
  pauseGate?: string | undefined
  /** Seconds after a reload in which nginx's old workers close their remaining connections. */
  drainTimeoutSeconds: number
}
