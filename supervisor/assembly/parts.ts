import type { AccessLog } from '../adapters/access-log.ts'
import type { Instance } from '../adapters/instance.ts'
import type { Output } from '../adapters/output.ts'
import type { LocalServer } from '../admin/server.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { describeCertificates } from '../domain/certificate-status.ts'
import { type HealthFacts, readiness } from '../domain/health.ts'
import type { NginxFeatures, NginxModel } from '../domain/nginx-model.ts'
import type { BoundSocket, Surroundings } from '../domain/ports.ts'
import type { Folders } from '../domain/static-folder.ts'
import type { Status } from '../domain/status.ts'
import type { RunningAcme } from '../services/acme.ts'
import type { CommandQueue } from '../services/commands.ts'
import type { HstsWatch } from '../services/hsts.ts'
import type { InFlight } from '../services/in-flight.ts'
import type { InitRun } from '../services/init.ts'
import type { Nginx } from '../services/nginx.ts'
import type { OomWatch } from '../services/oom-watch.ts'
import type { ProcessPool } from '../services/process-pool.ts'
import type { Rotation } from '../services/rotation.ts'
import type { Upstreams } from '../services/upstreams.ts'
import type { WorkerPool } from '../services/worker-pool.ts'
import { type Certificates, certificateModel } from './certificates.ts'
import type { OpenDynamicRoutes } from './dynamic-place.ts'
import type { Front } from './front.ts'
import type { HookRunner } from './hooks.ts'
import { modelNginx, plannedServers } from './nginx-model.ts'
import type { Settings, SettingsResult } from './settings.ts'
import type { World } from './world.ts'

export type StopReason = { mode: 'graceful' | 'quick'; code: number }

/** What a run consists of. `start` fills it in, so that `stop` can end whatever there is, at any moment. */
export interface Parts {
  readonly world: World
  readonly log: Log
  readonly stdout: Output
  readonly stderr: Output
  /** Reads the configuration and looks at the machine again. */
  readonly resolveAgain: () => Promise<SettingsResult>
  readonly requestStop: (reason: StopReason) => void
  /** The one way in for commands. */
  command: CommandQueue['push']
  settings: Settings
  readonly startedAt: number
  /** From the first ready worker on. */
  isServing: boolean
  isDraining: boolean
  /** Apps whose load is looked at. */
  readonly scaled: Set<string>
  front: Front
  servers: LocalServer[]
  surroundings?: Surroundings
  /** Tells nginx which workers there are. */
  rotation?: Rotation
  oomWatch?: OomWatch
  /** Finds out which requests died with a worker. */
  inFlight?: InFlight
  instance?: Instance
  hooks?: HookRunner
  features?: NginxFeatures
  /** As they were found at the start or the last reload. */
  folders?: Folders
  accessLog?: AccessLog
  /** Where nginx tells how busy the workers are that do not tell it themselves. */
  busySocket?: BoundSocket
  /** None without HTTPS. */
  certificates?: Certificates | undefined
  /** None unless tls.hsts is set. */
  hsts?: HstsWatch | undefined
  /** None unless tls.acme is set. */
  acme?: RunningAcme | undefined
  /** Of the apps that are no static files. */
  readonly pools: Map<string, WorkerPool>
  /** Of the processes that get no requests. */
  readonly processes: Map<string, ProcessPool>
  /** While init commands run. */
  init?: InitRun
  nginx?: Nginx
  /** What cancels each planned restart. */
  readonly schedules: (() => void)[]
  /** In development. */
  watcher?: { close(): Promise<void> }
  upstreams?: Upstreams | undefined
  /** None unless dynamic_routes is set. */
  dynamicRoutes?: OpenDynamicRoutes | undefined
}

/** What nginx is to be with these settings and the workers of now, or all there will be. */
export function modelOf(
  parts: Parts,
  settings: Settings,
  workers: 'ready' | 'all',
  upstreams = parts.upstreams,
): NginxModel {
  const { features, folders, accessLog, front, certificates, hsts, pools } = parts
  if (!features || !folders || !accessLog) throw new Error('cannot model nginx before the start')
  return modelNginx({
    settings,
    features,
    folders,
    front,
    certificates: certificates && certificateModel(certificates, settings.config),
    hsts: hsts?.header(),
    accessLogPath: accessLog.path,
    externalOf: upstream => upstreams?.serversOf(upstream) ?? [],
    serversOf(plan) {
      const pool = pools.get(plan.app)
      if (workers === 'ready') return pool?.rotation() ?? []
      return pool?.addresses() ?? plannedServers(plan, settings.config.run_dir)
    },
  })
}

export function healthOf({ pools, nginx, isDraining, settings }: Parts): HealthFacts {
  const routed = new Set(settings.config.routes.flatMap(({ target }) => (target.kind === 'app' ? target.name : [])))
  return {
    isNginxAlive: nginx?.isAlive() ?? false,
    isDraining,
    apps: [...pools].flatMap(([name, pool]) => {
      const workers = pool.status()
      const ready = workers.filter(({ state }) => state === 'serving' || state === 'replacing').length
      return routed.has(name) ? [{ name, ready, total: workers.length }] : []
    }),
  }
}

/** What `monohull status` shows. */
export function statusOf(parts: Parts): Status {
  const { pools, processes, front, isDraining, startedAt, certificates, acme } = parts
  return {
    pid: process.pid,
    state: isDraining ? 'stopping' : readiness(healthOf(parts)).status === 200 ? 'ready' : 'not ready',
    uptimeSeconds: Math.round((systemClock.monotonic() - startedAt) / 1000),
    http: describeSockets(front.http),
    https: describeSockets(front.https),
    workers: [...pools.values()].flatMap(pool => pool.status()),
    scaled: [...pools.values()].flatMap(pool => {
      const { app, count, limits } = pool.plan()
      return limits ? [{ app, workers: count, ...limits }] : []
    }),
    processes: [...processes.values()].flatMap(pool => pool.status()),
    upstreams: parts.upstreams?.status() ?? [],
    dynamicRoutes: parts.dynamicRoutes?.status(),
    certificates:
      certificates &&
      describeCertificates(
        certificates,
        { issues: acme?.status() ?? [], onDemand: acme?.onDemand() ?? [] },
        systemClock.now(),
      ),
  }
}

/** `127.0.0.1:80`, `[::]:80` */
export function describeSockets(sockets: readonly { address: string; port: number }[]): string[] {
  return sockets.map(({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
}
