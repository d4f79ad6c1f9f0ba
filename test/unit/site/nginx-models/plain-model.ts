import { accessRules } from '../../../../supervisor/logs/access-rules.ts'
import type { NginxModel } from '../../../../supervisor/site/model.ts'
import type { AppUpstream } from '../../../../supervisor/workers/app-upstream.ts'
import { diskSpool, plainFront } from '../../../front-rules.ts'
import { routeTo, toApp } from '../../../routes.ts'

/** An app with two workers. */
export const app: AppUpstream = {
  name: 'app',
  servers: [
    { slot: 1, address: { kind: 'unix', path: '/run/monohull/app-1.sock' } },
    { slot: 2, address: { kind: 'unix', path: '/run/monohull/app-2.sock' } },
  ],
  keepalive: 32,
  balance: 'least_conn',
}

/** With nothing configured. */
export const plainModel: NginxModel = {
  features: {
    version: '1.26.3',
    hasHttp2Directive: true,
    hasMlKem: true,
    rotatesTicketKeys: true,
    luaModules: undefined,
    brotliModule: undefined,
    hasHttp3: true,
    hasMaxHeaders: false,
    hasKeepaliveMinTimeout: false,
    hasStatus: true,
    brotliStaticModule: undefined,
  },
  user: 'www-data',
  workerProcesses: 2,
  connections: { perWorker: 8192, openFiles: 20_000 },
  workDir: '/run/monohull/nginx',
  statusSocket: undefined,
  spool: diskSpool('/run/monohull/nginx'),
  accessLog: { path: '/dev/stdout', format: 'text', ...accessRules(true) },
  traces: { share: 1, spanFile: undefined },
  http: [{ address: '0.0.0.0', port: 80 }],
  https: [{ address: '0.0.0.0', port: 443 }],
  httpMode: 'redirect',
  publicHttpsPort: 443,
  certificates: {
    fallback: { names: [], files: [{ chain: '/run/monohull/served.crt', key: '/run/monohull/served.key' }] },
    named: [],
  },
  tlsProfile: 'intermediate',
  onDemand: undefined,
  dynamicRoutes: undefined,
  acmeChallenges: undefined,
  acmeHandshakes: undefined,
  health: { socket: '/run/monohull/health.sock', livePath: '/healthz', readyPath: '/readyz', ports: [] },
  unavailable: { own: undefined },
  apps: [app],
  upstreams: [],
  routes: [routeTo(toApp('app'))],
  busyCounter: undefined,
  requestCounter: undefined,
  filtersResponses: false,
  retrySocket: undefined,
  front: plainFront,
  ownNginxConf: undefined,
  snippets: undefined,
  ownFiles: new Map(),
  proxySettings: [],
  drainTimeoutSeconds: 3600,
}
