import { join } from 'node:path'
import type { FrontSocket } from '../adapters/listeners.ts'
import type { NginxFeatures, NginxModel, NginxRoute } from '../domain/nginx-model.ts'
import type { Upstream, UpstreamServer } from '../domain/nginx-upstream.ts'
import { placePath } from '../domain/places.ts'
import type { WorkerPlan } from '../services/worker-plan.ts'
import { challengeFolder } from './acme-settings.ts'
import { busyTimeOf } from './busy-time.ts'
import { frontRules } from './front-rules.ts'
import type { Settings } from './settings.ts'
import type { World } from './world.ts'

export interface NginxModelSources {
  settings: Settings
  world: World
  features: NginxFeatures
  front: {
    http: readonly Pick<FrontSocket, 'address' | 'port'>[]
    https: readonly Pick<FrontSocket, 'address' | 'port'>[]
  }
  certificates: NginxModel['certificates']
  accessLogPath: string
  /** Where the workers of an app are. */
  serversOf: (plan: WorkerPlan) => UpstreamServer[]
}

export const healthSocketName = 'health.sock'

/** What nginx is to be, from the settings and what is bound and running now. */
export function modelNginx({
  settings,
  world,
  features,
  front,
  certificates,
  accessLogPath,
  serversOf,
}: NginxModelSources): NginxModel {
  const { config, apps } = settings
  const publicHttpsPort = config.public_https_port ?? front.https[0]?.port ?? config.https_port
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
    tlsProfile: config.tls.profile,
    acmeChallenges: challengeFolder(config),
    health: {
      socket: join(config.run_dir, healthSocketName),
      livePath: config.health.live_path,
      readyPath: config.health.ready_path,
    },
    unavailable: { builtIn: join(world.home, 'nginx/pages'), own: settings.maintenancePage },
    apps: apps.flatMap(({ config: { keepalive, balance }, plan }): Upstream[] =>
      plan ? [{ name: plan.app, servers: serversOf(plan), keepalive, balance }] : [],
    ),
    routes: config.routes.flatMap(({ host, path, app }): NginxRoute[] => {
      const content = apps.find(({ name }) => name === app)?.content
      if (!content) return []
      return [
        { host, path, target: content.kind === 'files' ? { kind: 'files', root: content.root } : { kind: 'app', app } },
      ]
    }),
    busyTime: busyTimeOf(settings, features),
    front: frontRules(settings, features, publicHttpsPort),
    snippets: settings.snippets,
    shutdownTimeoutSeconds: Math.max(1, Math.ceil(longestGraceMs(settings) / 1000)),
  }
}

function longestGraceMs({ apps }: Settings): number {
  return Math.max(0, ...apps.map(({ config }) => config.graceful_timeout))
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
