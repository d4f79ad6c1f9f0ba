import type { LogFormat } from '../base/log.ts'
import type { OnDemand } from '../certificates/on-demand/handshake.ts'
import type { TlsCertificates } from '../certificates/tls-certificates.ts'
import type { DynamicHosts } from '../dynamic-routes/hosts.ts'
import type { FrontRules } from '../front/rules.ts'
import type { UnavailablePage } from '../front/unavailable.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { ListenAddress } from '../nginx/listen-address.ts'
import type { OwnNginxConf } from '../nginx/own-conf.ts'
import type { ServedRoute } from '../routes/route.ts'
import type { ExternalUpstream } from '../upstreams/upstream.ts'
import type { BusyCounter } from '../workers/autoscaling/busy-counter.ts'
import type { Upstream } from '../workers/upstream.ts'

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
  busyCounter: BusyCounter | undefined
  /** The apps that run as workers. */
  apps: Upstream[]
  upstreams: ExternalUpstream[]
  /** For hosts that are not in the configuration. */
  dynamicRoutes: DynamicHosts | undefined
  /** What answers what. No two have the same host, path and way to match. */
  routes: ServedRoute[]
  front: FrontRules
  /** In place of the installation's. */
  ownNginxConf: OwnNginxConf | undefined
  /** Folder with the user's http.d and server.d, when it exists. */
  snippets: string | undefined
  /** Seconds after which nginx's old workers close what still hangs on them. */
  shutdownTimeoutSeconds: number
}
