import { join, resolve } from 'node:path'
import type { FrontSocket } from '../adapters/listeners.ts'
import { tlsName } from '../config/upstream-names.ts'
import type { UpstreamConfig } from '../config/upstreams.ts'
import type { NginxFeatures, NginxModel, NginxUpstream } from '../domain/nginx-model.ts'
import { shutdownTimeoutSeconds } from '../domain/nginx-shutdown.ts'
import type { Upstream, UpstreamServer } from '../domain/nginx-upstream.ts'
import { placePath } from '../domain/places.ts'
import type { Folders } from '../domain/static-folder.ts'
import type { WorkerPlan } from '../services/worker-plan.ts'
import { challengeFolder } from './acme-settings.ts'
import { busyTimeOf } from './busy-time.ts'
import { dynamicRoutesOf } from './dynamic-place.ts'
import { frontRules } from './front-rules.ts'
import { routesOf } from './nginx-routes.ts'
import { onDemandOf } from './on-demand-place.ts'
import { systemAuthorities } from './route-files.ts'
import type { Settings } from './settings.ts'

export interface NginxModelSources {
  settings: Settings
  features: NginxFeatures
  folders: Folders
  front: {
    http: readonly Pick<FrontSocket, 'address' | 'port'>[]
    https: readonly Pick<FrontSocket, 'address' | 'port'>[]
  }
  certificates: NginxModel['certificates']
  hsts: NginxModel['front']['hsts']
  accessLogPath: string
  /** Where the workers of an app are. */
  serversOf: (plan: WorkerPlan) => UpstreamServer[]
  /** Which servers of an upstream get requests. */
  externalOf: (upstream: string) => NginxUpstream['servers']
}

export const healthSocketName = 'health.sock'
export const adminSocketName = 'admin.sock'

/** What nginx is to be, from the settings and what is bound and running now. */
export function modelNginx({
  settings,
  features,
  folders,
  front,
  certificates,
  hsts,
  accessLogPath,
  serversOf,
  externalOf,
}: NginxModelSources): NginxModel {
  const { config, apps } = settings
  const publicHttpsPort = config.public_https_port ?? front.https[0]?.port ?? config.https_port
  const routes = routesOf(settings, { features, folders })
  const dynamicRoutes = dynamicRoutesOf(config, features)
  return {
    features,
    user: settings.nginxUserName,
    workerProcesses: settings.nginxProcesses,
    workDir: join(config.run_dir, 'nginx'),
    accessLog: config.access_log ? { path: accessLogPath, format: config.log_format } : undefined,
    http: front.http.map(({ address, port }) => ({ address, port })),
    https: front.https.map(({ address, port }) => ({ address, port })),
    httpMode: config.https === 'redirect' ? 'redirect' : 'serve',
    publicHttpsPort,
    certificates,
    onDemand: onDemandOf(config, features),
    dynamicRoutes,
    tlsProfile: config.tls.profile,
    acmeChallenges: challengeFolder(config),
    health: {
      socket: join(config.run_dir, healthSocketName),
      livePath: config.health.live_path,
      readyPath: config.health.ready_path,
    },
    unavailable: { own: settings.maintenancePage },
    apps: apps.flatMap(({ config: { keepalive, balance }, content, plan }): Upstream[] =>
      plan
        ? [{ name: plan.app, servers: serversOf(plan), keepalive, balance, tellsTls: content.kind === 'welcome' }]
        : [],
    ),
    upstreams: Object.entries(config.upstreams).map(([name, upstream]) =>
      toUpstream(name, upstream, { servers: externalOf(name), directory: config.directory }),
    ),
    routes,
    busyTime: busyTimeOf(settings, features),
    front: { ...frontRules(settings, features, publicHttpsPort), hsts },
    ownNginxConf: settings.ownNginxConf,
    snippets: settings.snippets,
    shutdownTimeoutSeconds: shutdownTimeoutSeconds({
      routes,
      dynamicRoutes,
      graces: apps.map(({ config: { graceful_timeout } }) => graceful_timeout),
    }),
  }
}

function toUpstream(
  name: string,
  config: UpstreamConfig,
  { servers, directory }: { servers: NginxUpstream['servers']; directory: string },
): NginxUpstream {
  const { balance, keepalive, retries, max_fails, fail_timeout, host, tls } = config
  return {
    name,
    servers,
    balance,
    keepalive,
    tries: retries + 1,
    maxFails: max_fails,
    failTimeoutSeconds: Math.round(fail_timeout / 1000),
    host,
    tls: tls && {
      name: tlsName(config),
      authorities: tls.verify ? resolve(directory, tls.ca ?? systemAuthorities) : undefined,
    },
  }
}

/** Where workers will be that do not run yet. */
export function plannedServers({ app, count, places, listen }: WorkerPlan, runDir: string): UpstreamServer[] {
  return Array.from({ length: Math.max(count, places) }, (_, index) => ({
    slot: index + 1,
    address:
      listen === 'port'
        ? { kind: 'tcp', port: 1024 + index }
        : { kind: 'unix', path: placePath(runDir, app, index + 1) },
  }))
}
