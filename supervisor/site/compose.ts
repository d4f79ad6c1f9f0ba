import { join, resolve } from 'node:path'
import { lineFormat } from '../base/log.ts'
import { alpnDirOf, challengeDirOf, sharedChallengeSocketOf } from '../certificates/acme/settings.ts'
import { onDemandOf } from '../certificates/on-demand/paths.ts'
import type { CertificatesModel } from '../certificates/served.ts'
import { dynamicRoutesOf } from '../dynamic-routes/paths.ts'
import { frontRules } from '../front/choose-rules.ts'
import { copiedHeadersOf } from '../front/forward-auth.ts'
import type { PauseModel } from '../front/pause/pause.ts'
import { boundBodies, spoolOf } from '../front/spool.ts'
import type { SpoolModel } from '../front/spool-watch.ts'
import { accessRules } from '../logs/access-rules.ts'
import { spanLogName } from '../logs/otlp/span-line.ts'
import { accessFileName } from '../logs/rotation-names.ts'
import { workerRequests } from '../nginx/connections.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { ListenAddress } from '../nginx/listen-address.ts'
import { accessSyslogName } from '../nginx/log-tails.ts'
import { filtersWithLua } from '../nginx/own-files.ts'
import { systemAuthorities } from '../routes/adapters/files.ts'
import { routesOf } from '../routes/model.ts'
import type { StaticFilesModel } from '../routes/static-directories.ts'
import type { UpstreamConfig } from '../upstreams/keys.ts'
import { tlsName } from '../upstreams/names.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import type { UpstreamsModel } from '../upstreams/upstreams.ts'
import type { AppUpstream } from '../workers/app-upstream.ts'
import type { AppsModel } from '../workers/apps.ts'
import { busyCounterOf } from '../workers/autoscaling/busy-apps.ts'
import type { NginxModel } from './model.ts'
import type { Config } from './schema.ts'
import type { Settings } from './settings.ts'

/** Part of the model that depends on bound ports and running processes; the rest depends on the settings. */
export interface RunningModel
  extends AppsModel,
    UpstreamsModel,
    CertificatesModel,
    StaticFilesModel,
    SpoolModel,
    PauseModel {
  http: readonly ListenAddress[]
  https: readonly ListenAddress[]
  healthPorts: readonly ListenAddress[]
  accessLogPath: string
}

/** That part while nothing runs. */
export const noneRunning: RunningModel = {
  http: [],
  https: [],
  healthPorts: [],
  directories: new Map(),
  certificates: undefined,
  hsts: undefined,
  accessLogPath: '/dev/stdout',
  serversOf: () => [],
  upstreamServersOf: () => [],
  isSpoolShort: false,
  pauseGate: undefined,
}

/** Name of the health socket in run_dir. */
export const healthSocketName = 'health.sock'
/** Name of the socket in run_dir on which nginx asks about failed requests. */
export const retrySocketName = 'retry.sock'
/** Name of nginx's status socket in run_dir. */
export const statusSocketName = 'nginx-status.sock'

/** Model of nginx for the settings and what is running. Throws an OperatorError if the installed nginx lacks a required feature. */
export function modelNginx(settings: Settings, features: NginxFeatures, running: RunningModel): NginxModel {
  const { config, apps } = settings
  const publicHttpsPort = config.public_https_port ?? running.https[0]?.port ?? config.https_port
  const spool = spoolOf(settings.spoolMedium, {
    isShort: running.isSpoolShort,
    hasLua: features.luaModules !== undefined,
    connections: settings.nginxProcesses * settings.nginxConnections.perWorker,
  })
  const rules = frontRules(config, {
    files: settings.frontFiles,
    features,
    publicPort: publicHttpsPort,
    requests: workerRequests(settings.nginxConnections.perWorker),
    hosts: settings.certificates.names,
  })
  const { limits, routes } = boundBodies(
    { limits: rules.limits, routes: routesOf(settings, { features, directories: running.directories }), spool },
    ({ target }) => !('spool' in target) || target.spool.storesBodies,
  )
  const dynamicRoutes = dynamicRoutesOf(config, features)
  const filtersResponses =
    features.luaModules !== undefined &&
    !filtersWithLua([...settings.ownFiles.values(), settings.ownNginxConf?.text ?? ''])
  return {
    features,
    user: settings.nginxUserName,
    workerProcesses: settings.nginxProcesses,
    connections: settings.nginxConnections,
    workDir: join(config.run_dir, 'nginx'),
    spool,
    statusSocket: features.hasStatus ? join(config.run_dir, statusSocketName) : undefined,
    accessLog: config.access_log
      ? {
          path: running.accessLogPath,
          format: lineFormat(config.log_format),
          ...accessRules(config.access_log),
          files: accessFilesOf(config),
        }
      : undefined,
    traces: {
      share: settings.traces.share,
      spanFile: settings.traces.hasSpans ? join(config.run_dir, 'nginx', spanLogName) : undefined,
    },
    http: running.http.map(({ address, port }) => ({ address, port })),
    https: running.https.map(({ address, port }) => ({ address, port })),
    httpMode: config.https === 'redirect' ? 'redirect' : 'serve',
    publicHttpsPort,
    certificates: running.certificates,
    onDemand: onDemandOf(config, features),
    dynamicRoutes,
    tlsProfile: config.tls.profile,
    acmeChallenges: challengeDirOf(config),
    sharedChallenges: sharedChallengeSocketOf(config),
    acmeHandshakes: alpnDirOf(config, features),
    health: {
      socket: join(config.run_dir, healthSocketName),
      livePath: config.health.live_path,
      readyPath: config.health.ready_path,
      ports: running.healthPorts.map(({ address, port }) => ({ address, port })),
    },
    unavailable: { own: settings.maintenancePage },
    apps: apps.flatMap(({ config: { keepalive, balance, protocol }, content, plan }): AppUpstream[] =>
      plan
        ? [
            {
              name: plan.app,
              servers: running.serversOf(plan),
              keepalive,
              balance,
              protocol,
              tellsTls: content.kind === 'welcome',
            },
          ]
        : [],
    ),
    upstreams: Object.entries(config.upstreams).map(([name, upstream]) =>
      toUpstream(name, upstream, { servers: running.upstreamServersOf(name), directory: config.directory }),
    ),
    routes,
    busyCounter: busyCounterOf(settings, features),
    requestCounter:
      config.metrics.requests && filtersResponses && features.hasStatus
        ? {
            hasHosts: config.metrics.hosts,
            makesIds: !usesRequestId(settings, [rules, ...routes.map(route => route.rules)]),
          }
        : undefined,
    filtersResponses,
    retrySocket:
      features.luaModules && apps.some(({ plan }) => plan) ? join(config.run_dir, retrySocketName) : undefined,
    front: { ...rules, limits, hsts: running.hsts, copiedHeaders: copiedHeadersOf(routes.map(route => route.rules)) },
    ownNginxConf: settings.ownNginxConf,
    snippets: settings.snippets,
    ownFiles: settings.ownFiles,
    proxySettings: settings.proxySettings,
    pauseGate: running.pauseGate,
    drainTimeoutSeconds: Math.max(1, Math.ceil(config.nginx.drain_timeout / 1000)),
  }
}

/** Whether a file or header of the user has nginx's id of a request, which must be the one that the app gets. */
function usesRequestId(
  { ownFiles, ownNginxConf }: Settings,
  rules: readonly { headers?: readonly { value: string }[] | undefined }[],
): boolean {
  const values = rules.flatMap(({ headers }) => headers?.map(({ value }) => value) ?? [])
  const texts = [...ownFiles.values(), ownNginxConf?.text ?? '', ...values]
  return texts.some(text => /\$\{?request_id\b/.test(text))
}

/** Files beside stdout to which nginx writes access lines. */
export function accessFilesOf({ logs: { files, syslog }, run_dir }: Pick<Config, 'logs' | 'run_dir'>): string[] {
  return [
    ...(files ? [join(files.directory, accessFileName)] : []),
    ...(syslog === undefined ? [] : [join(run_dir, 'nginx', accessSyslogName)]),
  ]
}

function toUpstream(
  name: string,
  config: UpstreamConfig,
  { servers, directory }: { servers: Upstream['servers']; directory: string },
): Upstream {
  const { balance, keepalive, protocol, retries, max_fails, fail_timeout, host, tls } = config
  return {
    name,
    servers,
    balance,
    keepalive,
    protocol,
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
