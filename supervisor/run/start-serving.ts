import { join } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { describeSockets, reachableHost } from '../front/front.ts'
import { maintenanceFiles } from '../front/maintenance/adapters/files.ts'
import { isNetwork } from '../front/maintenance/adapters/networks.ts'
import { openMaintenance } from '../front/maintenance/maintenance.ts'
import { openGate } from '../front/pause/adapters/gate.ts'
import { openPause } from '../front/pause/pause.ts'
import { accessRules } from '../logs/access-rules.ts'
import { createNginxFiles } from '../nginx/adapters/files.ts'
import { openGenerationSocket } from '../nginx/adapters/generation-socket.ts'
import { nginxProcesses, sightNginx } from '../nginx/adapters/processes.ts'
import { nginxEnvironment } from '../nginx/adapters/run-nginx.ts'
import { watchFrozenProcesses } from '../nginx/frozen-processes.ts'
import { createNginx } from '../nginx/service.ts'
import { countConnections } from '../processes/adapters/unix-connections.ts'
import { warnAboutMissingFallbacks } from '../routes/adapters/fallbacks.ts'
import { closeInspector, openInspector } from '../workers/adapters/inspector.ts'
import { openAutoscaling } from '../workers/autoscaling/autoscaling.ts'
import { createInspection } from '../workers/inspection.ts'
import { openSchedules } from '../workers/schedules.ts'
import { isWorkerSocket } from '../workers/socket-paths.ts'
import { collectGarbage } from './adapters/heap.ts'
import { bootFailure } from './boot-failure.ts'
import type { CommandDeps } from './command-runner.ts'
import { openConfigWatch } from './config-watch.ts'
import { openConnections } from './connections.ts'
import { openLocalServers } from './local-servers.ts'
import { openNginxInputs } from './nginx-inputs.ts'
import { openNginxLogs } from './nginx-logs.ts'
import { createRequestReader } from './requests.ts'
import { createRunningNginx, type RunningNginx, renderingOf } from './running-nginx.ts'
import type { StartDeps, StartedPrograms } from './start-programs.ts'
import { openUsage } from './usage-subject.ts'

/** Time after which health is served even if no worker is ready. Until then it waits, so as not to delay the boot of the workers. */
const quickBootMs = 500
/** Time for a worker to start its inspector. */
const inspectorMs = 2000

/**
 * Starts nginx and everything around it, while the workers boot. Settles when requests are served; undefined if a stop was requested
 * meanwhile.
 */
export async function startServing(deps: StartDeps, programs: StartedPrograms): Promise<CommandDeps | undefined> {
  const { world, log, run, send } = deps
  const { instance, front, hooks, shared, apps, processes, jobs, failedTries, rotation, onRotation, booted } = programs
  const settings = run.settings()
  const { config } = settings
  let nginx: RunningNginx | undefined
  const inputs = await openNginxInputs({
    ...deps,
    ...shared,
    rotation,
    front,
    sharedState: programs.sharedState,
    retireOrphans: async () => nginx?.retireOrphans(),
  })
  const { features, directories, certificates, acme, dynamicRoutes } = inputs
  warnAboutMissingFallbacks(config, log)
  const maintenance = run.add(
    openMaintenance({
      ...shared,
      files: maintenanceFiles({ workDir: join(config.run_dir, 'nginx'), stateDir: config.state_dir }),
      hasLua: features.luaModules !== undefined,
      isNetwork,
    }),
  )
  const { sharedState } = programs
  const sharing = sharedState
    ? (await import('./sharing.ts')).shareRun(sharedState, { ...shared, ...deps, maintenance })
    : undefined
  const pausing = run.add(
    openPause({
      ...shared,
      gate: openGate(join(config.run_dir, 'nginx', 'pause')),
      hasLua: features.luaModules !== undefined,
      follow: async () => nginx?.follow(),
      oldWorkers: () => nginx?.oldWorkers() ?? 0,
    }),
  )
  const autoscaling = run.add(
    openAutoscaling(
      {
        clock: systemClock,
        log,
        pools: apps.pools,
        connectionsOf: app => countConnections(path => isWorkerSocket(path, { runDir: config.run_dir, app })),
        scale: (app, workers) => send({ type: 'scale', workers, app }, 'autoscaling'),
      },
      settings,
      features,
    ),
  )
  const generation = openGenerationSocket(join(config.run_dir, 'nginx'))
  run.add({ name: 'generation', close: generation.close })
  const connections = features.hasStatus
    ? run.add(openConnections({ ...shared, run, master: () => nginx?.pid() }))
    : undefined
  const requests = createRequestReader({ run, features, pools: apps.pools })
  run.add(openUsage({ ...shared, run, apps, processes, requests }))
  const nginxLogs = run.add(
    openNginxLogs(config, {
      ...deps,
      clock: systemClock,
      pools: apps.pools,
      redacted: () => accessRules(run.settings().config.access_log).redacted,
    }),
  )
  const inherited = [
    ...front.http,
    ...front.https,
    ...front.healthPorts,
    generation,
    autoscaling.socket,
    dynamicRoutes?.changesSocket,
    connections?.socket,
  ]
  const runningNginx = run.add(
    createRunningNginx(
      run,
      createNginx({
        ...shared,
        files: createNginxFiles({ source: join(world.home, 'nginx'), target: join(config.run_dir, 'nginx') }),
        processes: nginxProcesses,
        askGeneration: generation.ask,
        renderErrors: nginxLogs.renderErrors,
        descriptors: inherited.flatMap(socket => socket?.descriptor ?? []),
        env: { ...nginxEnvironment, TZ: world.env.TZ ?? '' },
      }),
      renderingOf(features),
    ),
  )
  nginx = runningNginx
  const { files } = config.logs
  if (files) {
    const { careForLogFiles } = await import('../logs/log-files.ts')
    const end = careForLogFiles({ clock: systemClock, log, files, reopenNginx: runningNginx.reopenLogs })
    run.add({ name: 'log files', close: end })
  }
  deps.onNginx(nginx)
  // a stop that was requested meanwhile found no nginx to stop
  if (run.isDraining()) return undefined
  await nginx.start()
  apps.startOthers()
  await Promise.race([booted, pause(systemClock, quickBootMs)])
  if (run.isDraining()) return undefined
  run.add(
    await openLocalServers(run, {
      ...shared,
      home: world.home,
      send,
      record: deps.record,
      describeConfig: deps.describeConfig,
      renewCertificate: acme.renew,
      inspection: createInspection({
        ...shared,
        pools: apps.pools,
        openInspector: (child, pid, former) =>
          openInspector(child, { clock: systemClock, timeoutMs: inspectorMs, pid, former }),
        closeInspector: address => closeInspector(address, systemClock),
      }),
      requests: requests.read,
      dynamicRoutes,
      maintenance: sharing?.maintenance ?? maintenance,
      cluster: sharing?.cluster,
      pause: pausing,
      jobs: jobs.operations,
      retries: {
        hasFailedToWake: apps.hasFailedToWake,
        mayRepeat: failedTries.mayRepeat,
        next: (app, failed) => apps.nextFor(app, { ...failed, isSuspect: failedTries.isSuspect(failed) }),
      },
    }),
  )
  const result = await booted
  if (run.isDraining()) return undefined
  if (!result.ok && result.death && !world.isDevelopment) throw bootFailure(result.death)
  await apps.settled()
  apps.serve()
  onRotation(runningNginx.follow)
  await runningNginx.follow()
  announce()
  sharing?.introduce()
  run.add(
    watchFrozenProcesses({
      ...shared,
      look: () => sightNginx(nginx?.pid()),
      maySleep: nginxProcesses.isNginxDraining,
      hasTimer: features.luaModules !== undefined,
    }),
  )
  autoscaling.begin()
  await certificates.watch()
  const { openRunDirWatch } = await import('./run-dir.ts')
  run.add(openRunDirWatch({ ...shared, ...run, runDir: config.run_dir, instance, pools: apps.pools }))
  if (!world.isDevelopment) directories.watch()
  if (config.https !== 'off') {
    const { watchClientAuthorities } = await import('../front/client-authority-watch.ts')
    const current = () => run.settings().frontFiles.clientCertificates
    run.add(watchClientAuthorities({ ...shared, current }))
  }
  run.add(await openConfigWatch({ ...shared, world, send }))
  await acme.begin()
  run.add(
    await openSchedules(settings, async (target, reason) => {
      if (!apps.pools.get(target)?.isAsleep()) await send({ type: 'restart', target }, reason)
    }),
  )
  await jobs.begin()
  collectGarbage()
  nginx.recordFiles()
  return {
    log,
    clock: systemClock,
    run,
    nginx,
    hooks,
    front,
    apps,
    processes,
    order: shared.order,
    certificates,
    dynamicRoutes,
    outputs: deps.outputs,
    resolveAgain: deps.resolveAgain,
    report: next => warnAboutMissingFallbacks(next.config, log),
  }

  function announce(): void {
    const { http, https, healthPorts } = front
    instance.update({
      httpHost: reachableHost(http[0]?.address),
      httpPort: http[0]?.port,
      httpsPort: https[0]?.port,
      livePath: config.health.live_path,
      proxyProtocol: config.proxy_protocol,
      isServing: true,
    })
    log.info('serving', {
      http: describeSockets(http).join(','),
      https: describeSockets(https).join(',') || undefined,
      health: describeSockets(healthPorts).join(',') || undefined,
    })
  }
}
