import { join } from 'node:path'
import { openAccessLog } from '../adapters/access-log.ts'
import { readMemoryGroup } from '../adapters/cgroup.ts'
import { collectGarbage } from '../adapters/heap.ts'
import { claimRunDir } from '../adapters/instance.ts'
import { createNginxFiles, readNginxFeatures } from '../adapters/nginx-files.ts'
import { childrenOf, isGroupLeaving, isNginxLeaving, wakeUpsOf } from '../adapters/procfs.ts'
import { nginxFolders } from '../adapters/run-nginx.ts'
import { createSpawn } from '../adapters/spawn.ts'
import { openUnansweredLog } from '../adapters/unanswered-log.ts'
import type { LocalServer } from '../admin/server.ts'
import { pause, systemClock } from '../base/clock.ts'
import { OperatorError } from '../base/errors.ts'
import type { LogFields } from '../base/log.ts'
import { exitCodeOf } from '../domain/exit.ts'
import { unansweredName } from '../domain/nginx-model.ts'
import type { Surroundings } from '../domain/ports.ts'
import type { Death } from '../services/death-record.ts'
import { createInFlight } from '../services/in-flight.ts'
import { createNginx } from '../services/nginx.ts'
import { createOomWatch } from '../services/oom-watch.ts'
import { createRotation } from '../services/rotation.ts'
import { renewCertificate, switchAcme } from './acme-switch.ts'
import type { AppSettings } from './app-settings.ts'
import { autoscale, bindBusySocket } from './autoscaling.ts'
import { loadCertificates, reportCertificates } from './certificates.ts'
import { warnOfFallbacks } from './fallbacks.ts'
import { lookAtFolders, watchFolders } from './folders.ts'
import { bindFront, reachableHost } from './front.ts'
import { createHookRunner, startRefusedBy } from './hooks.ts'
import { adminSocketName, healthSocketName } from './nginx-model.ts'
import { describeSockets, healthOf, modelOf, type Parts, statusOf } from './parts.ts'
import { settlePools, startPools } from './pools.ts'
import { planRestarts } from './schedules.ts'
import { openUpstreams } from './upstreams.ts'

/** Health is answered when the first worker is ready, so as not to hold up its boot, or after this time. */
const quickBootMs = 500

/**
 * The order of a start. Listening comes first, so that a taken port ends it before anything runs, and who connects from
 * then on waits instead of being refused; then the init commands, one by one; the workers next, whose boot takes the
 * longest; nginx and the rest meanwhile.
 */
export async function start(parts: Parts, isStopping: () => boolean): Promise<void> {
  const { settings, log } = parts
  const { config } = settings
  const instance = await claimRunDir(config.run_dir, names =>
    log.warn('ended what a killed monohull had left running', { processes: names.join(',') }),
  )
  parts.instance = instance
  parts.front = bindFront(config)
  const surroundings: Surroundings = {
    clock: systemClock,
    log,
    random: Math.random,
    spawn: createSpawn({
      ...parts,
      umask: parts.world.umask === process.umask() ? undefined : parts.world.umask,
      format: config.log_format,
      now: systemClock.now,
      onChange: instance.note,
    }),
  }
  parts.surroundings = surroundings
  const programs = settings.processes.length > 0 ? await import('./processes.ts') : undefined
  parts.hooks = createHookRunner(surroundings)
  if (isStopping()) return
  if (settings.hooks.before_start) {
    const prepared = await parts.hooks.run('before_start', settings.hooks)
    if (isStopping()) return
    if (!prepared.ok) throw startRefusedBy(prepared)
  }
  if (settings.init.length > 0) await (await import('./init.ts')).initialize(parts)
  if (isStopping()) return
  parts.rotation = createRotation(async () => {
    if (parts.isServing) await parts.nginx?.follow(modelOf(parts, parts.settings, 'ready'))
  }, log)
  parts.oomWatch = createOomWatch(readMemoryGroup())
  const unanswered = openUnansweredLog(join(config.run_dir, 'nginx', unansweredName))
  parts.inFlight = createInFlight({ ...surroundings, unanswered })
  const booted = startPools(parts)
  programs?.startProcesses(parts)
  for (const app of settings.apps) log.info('starting', describeApp(app, settings.apps.length))

  if (settings.nginxUserName === 'root') {
    log.warn('nginx and the app run as root, which lacks the capabilities to start them as others', {
      fix: 'start as another user (docker run --user), or leave CAP_SETUID, CAP_SETGID, CAP_CHOWN and CAP_KILL',
    })
  }

  await assembleNginx(parts, surroundings)
  // a stop in the meantime found no nginx to end
  if (isStopping()) return
  // the sockets of all workers listen: requests wait there for those that boot
  await parts.nginx?.start(modelOf(parts, settings, 'all'))
  await Promise.race([booted, pause(systemClock, quickBootMs)])
  if (isStopping()) return
  parts.servers = await serveLocally(parts)
  const result = await booted
  if (isStopping()) return
  if (!result.ok && !parts.world.isDevelopment) throw bootFailure(result.death)
  await settlePools(parts)
  parts.isServing = true
  await parts.nginx?.follow(modelOf(parts, settings, 'ready'))

  const { http, https } = parts.front
  instance.update({
    httpHost: reachableHost(http[0]?.address),
    httpPort: http[0]?.port,
    httpsPort: https[0]?.port,
    livePath: config.health.live_path,
    proxyProtocol: config.proxy_protocol,
    isServing: true,
  })
  log.info('serving', { http: describeSockets(http).join(','), https: describeSockets(https).join(',') || undefined })
  autoscale(parts)
  if (parts.certificates) parts.servers.push((await import('./certificate-watch.ts')).watchCertificates(parts))
  parts.servers.push((await import('./run-dir.ts')).watchOwnRunDir(parts))
  if (!parts.world.isDevelopment) parts.servers.push(watchFolders(parts))
  await switchAcme(parts)
  await planRestarts(parts)
  collectGarbage()
  parts.nginx?.takeNote()
}

async function assembleNginx(parts: Parts, surroundings: Surroundings): Promise<void> {
  const { settings, world, front, log } = parts
  const runDir = settings.config.run_dir
  const [features, folders, accessLog, certificates, upstreams, dynamicRoutes] = await Promise.all([
    readNginxFeatures(),
    lookAtFolders(settings, world),
    openAccessLog(join(runDir, 'access.fifo')),
    loadCertificates(settings, log),
    openUpstreams(parts, settings),
    settings.config.dynamic_routes && import('./dynamic-routes.ts').then(found => found.openDynamicRoutes(parts)),
    settings.config.cache ? import('./purge-cache.ts').then(found => found.removeOldCache(settings)) : undefined,
    settings.config.tls.on_demand && import('./on-demand-files.ts').then(files => files.layOutOnDemand(settings)),
  ])
  Object.assign(parts, { features, folders, accessLog, certificates, upstreams, dynamicRoutes })
  if (certificates) reportCertificates(certificates, settings.config, log)
  warnOfFallbacks(settings.config, log)
  if (settings.config.tls.hsts) parts.hsts = (await import('./hsts.ts')).openHsts(settings, certificates, log)
  bindBusySocket(parts, features)
  parts.nginx = createNginx({
    ...surroundings,
    files: createNginxFiles({ source: join(world.home, 'nginx'), target: join(runDir, 'nginx') }),
    processes: { childrenOf, isNginxLeaving, isGroupLeaving, wakeUpsOf },
    descriptors: [...front.http, ...front.https, parts.busySocket, parts.dynamicRoutes?.tellSocket].flatMap(
      socket => socket?.descriptor ?? [],
    ),
    env: { PATH: nginxFolders.join(':'), TZ: world.env.TZ ?? '' },
  })
}

async function serveLocally(parts: Parts): Promise<LocalServer[]> {
  // node:http takes its time, and the app answers without it
  const { serveAdmin, serveHealth } = await import('../admin/server.ts')
  const { config, nginxUser } = parts.settings
  const health = {
    livePath: config.health.live_path,
    readyPath: config.health.ready_path,
    facts: () => healthOf(parts),
  }
  return Promise.all([
    serveHealth(join(config.run_dir, healthSocketName), nginxUser?.gid, health),
    serveAdmin(join(config.run_dir, adminSocketName), {
      health,
      status: () => statusOf(parts),
      command: command => parts.command(command, 'the admin API'),
      renewCertificate: (name, mode) => renewCertificate(parts, name, mode),
      dynamicRoutes: () => parts.dynamicRoutes?.list(),
    }),
  ])
}

function bootFailure({ worker, exit, lastLines }: Death): OperatorError {
  const printed = lastLines.length > 0 ? `, and printed last:\n${lastLines.join('\n')}` : ', and printed nothing'
  return new OperatorError(`every worker failed at its first start; ${worker} was the last one${printed}`, {
    fix: 'mend the app; why each worker ended stands above',
    // a server that ends by itself is no success, whatever it says
    code: exitCodeOf(exit) || 1,
  })
}

function describeApp({ name, content, plan, place }: AppSettings, apps: number): LogFields {
  const app =
    content.kind === 'files' ? `static files in ${content.root}` : `${plan?.argv.join(' ')} (${content.origin})`
  return { name: apps > 1 ? name : undefined, app, workers: plan?.count, user: place.account?.name }
}
