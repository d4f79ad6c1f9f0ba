import { join } from 'node:path'
import { systemClock, systemRandom } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { OperatorError } from '../base/errors.ts'
import type { Log, LogFields } from '../base/log.ts'
import type { World } from '../base/world.ts'
import { misspeltVariables } from '../config/variables.ts'
import { freeBytes, removeLeftovers } from '../front/adapters/spool-medium.ts'
import { describeSockets, openFront, reachableHost } from '../front/front.ts'
import { openSpoolWatch } from '../front/spool-watch.ts'
import type { Output } from '../logs/adapters/output.ts'
import { createNginxFiles } from '../nginx/adapters/files.ts'
import { openGenerationSocket } from '../nginx/adapters/generation-socket.ts'
import { nginxProcesses, sightNginx } from '../nginx/adapters/processes.ts'
import { nginxEnvironment } from '../nginx/adapters/run-nginx.ts'
import { watchFrozenProcesses } from '../nginx/frozen-processes.ts'
import { createRotation } from '../nginx/rotation.ts'
import { createNginx } from '../nginx/service.ts'
import { readMemoryGroup } from '../processes/adapters/cgroup.ts'
import { createSpawn } from '../processes/adapters/spawn.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import type { Death } from '../processes/death.ts'
import { exitCodeOf } from '../processes/exit.ts'
import { createFailureLimits, type FailureLimitDeps } from '../processes/failure-limit.ts'
import { createOomWatch } from '../processes/oom-watch.ts'
import { createHookRunner, type HookRunner, startRefusedBy } from '../programs/hook-runner.ts'
import { openProcesses } from '../programs/processes.ts'
import { warnAboutMissingFallbacks } from '../routes/adapters/fallbacks.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import { httpProbe } from '../workers/adapters/http-probe.ts'
import { closeInspector, openInspector } from '../workers/adapters/inspector.ts'
import { workerMachine } from '../workers/adapters/machine.ts'
import { createApps } from '../workers/apps.ts'
import { openAutoscaling } from '../workers/autoscaling/autoscaling.ts'
import { openUnansweredLog } from '../workers/deaths/adapters/unanswered-log.ts'
import { createFailedTries } from '../workers/deaths/failed-tries.ts'
import { createInFlight } from '../workers/deaths/in-flight.ts'
import { unansweredName } from '../workers/deaths/in-flight-requests.ts'
import { createInspection } from '../workers/inspection.ts'
import { openSchedules } from '../workers/schedules.ts'
import { collectGarbage } from './adapters/heap.ts'
import { claimRunDir, type Instance } from './adapters/instance.ts'
import { removeRunDir } from './adapters/run-dir-removal.ts'
import { expectTrustedDirectory } from './adapters/trusted-directory.ts'
import type { CommandQueue } from './command-queue.ts'
import type { CommandDeps } from './command-runner.ts'
import { openConnections } from './connections.ts'
import { openLocalServers } from './local-servers.ts'
import { openNginxInputs } from './nginx-inputs.ts'
import { openNginxLogs } from './nginx-logs.ts'
import type { ReloadDeps } from './reload.ts'
import type { Run } from './run.ts'
import { createRunningNginx, type RunningNginx, renderingOf } from './running-nginx.ts'
import { hookWorkers } from './worker-hooks.ts'

/** Time after which health is served even if no worker is ready. Until then it waits, so as not to delay the boot of the workers. */
const quickBootMs = 500
/** Time for a worker to start its inspector. */
const inspectorMs = 2000

/** Dependencies of startup. */
export interface StartDeps {
  world: World
  log: Log
  stdout: Output
  stderr: Output
  run: Run
  send: CommandQueue['push']
  resolveAgain: ReloadDeps['resolveAgain']
  /** Whether run_dir belongs to this run alone, and is removed with it. */
  removesRunDir: boolean
  /** Stops the run with the exit code of the program whose failures ended it. */
  endRun: FailureLimitDeps['endRun']
  /** Called as soon as the hooks exist, for a stop during startup; `onNginx` likewise. */
  onHooks(hooks: HookRunner): void
  onNginx(nginx: RunningNginx): void
}

/**
 * Starts everything, in this order. The ports are bound first: a port in use ends startup before anything runs, and clients wait
 * from then on instead of being refused. Then the init commands run, one after the other. Then the workers boot, which takes the
 * longest; nginx and the rest start meanwhile. Undefined if a stop was requested meanwhile.
 */
export async function start(deps: StartDeps): Promise<CommandDeps | undefined> {
  const { world, log, run, send } = deps
  const settings = run.settings()
  const { config } = settings
  expectTrustedDirectory({ key: 'state_dir', path: config.state_dir })
  for (const variable of misspeltVariables(world.env))
    log.warn('variable ignored: its name is similar to MONOHULL_', { variable, fix: 'correct or remove it' })
  const instance = await claimRunDir(config.run_dir, names =>
    log.warn('stopped processes left by a previous instance', { processes: names.join(',') }),
  )
  const { release } = instance
  run.add({
    name: 'instance',
    close: deps.removesRunDir ? () => removeRunDir(config.run_dir, release) : release,
  })
  const front = run.add(openFront(config))
  const runtime = createRuntime(deps, instance)
  const hooks = createHookRunner(runtime)
  deps.onHooks(hooks)
  if (run.isDraining()) return undefined
  if (settings.hooks.before_start) {
    const prepared = await hooks.run('before_start', settings.hooks)
    if (run.isDraining()) return undefined
    if (!prepared.ok) throw startRefusedBy(prepared)
  }
  if (settings.init.length > 0)
    await run.add((await import('../programs/init.ts')).startInit(runtime, settings.init)).done
  if (run.isDraining()) return undefined

  removeLeftovers(settings.spoolMedium)
  // until the first worker is ready, nginx uses the sockets of all workers
  let nginx: RunningNginx | undefined
  let follow = async () => {}
  const rotation = createRotation(() => follow(), runtime)
  const failures = createFailureLimits({ ...runtime, isDevelopment: world.isDevelopment, endRun: deps.endRun })
  const shared = { ...runtime, settings: run.settings, failures, oomWatch: createOomWatch(readMemoryGroup()) }
  const unanswered = openUnansweredLog(join(config.run_dir, 'nginx', unansweredName))
  const failedTries = createFailedTries(runtime)
  const processes = await openProcesses(shared)
  const apps = run.add(
    createApps({
      ...shared,
      machine: workerMachine,
      probe: httpProbe,
      inFlight: createInFlight({ ...runtime, unanswered }),
      failedTries,
      onRotation: rotation.changed,
      onWorkerEvent: hookWorkers(hooks, () => run.settings().hooks),
    }),
  )
  run.add(processes)
  run.add(
    openSpoolWatch({
      ...runtime,
      medium: () => run.settings().spoolMedium,
      free: freeBytes,
      onChange: () => void rotation.changed(),
    }),
  )
  if (run.isDraining()) return undefined
  // preparing nginx keeps one CPU busy: more workers would delay the first response, and not be ready earlier
  const booted = apps.start(Math.max(1, settings.cpus - 1))
  processes.start()
  for (const app of settings.apps) log.info('starting', describeApp(app, settings.apps.length))
  if (settings.nginxUserName === 'root') warnOfRoot(log)

  const inputs = await openNginxInputs({
    ...deps,
    ...shared,
    rotation,
    front,
    retireOrphans: async () => nginx?.retireOrphans(),
  })
  const { features, directories, certificates, acme, dynamicRoutes } = inputs
  warnAboutMissingFallbacks(config, log)
  const autoscaling = run.add(
    openAutoscaling(
      {
        clock: systemClock,
        pools: apps.pools,
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
  const nginxLogs = run.add(openNginxLogs(config, { ...deps, clock: systemClock, pools: apps.pools }))
  const inherited = [
    ...front.http,
    ...front.https,
    generation,
    autoscaling.socket,
    dynamicRoutes?.changesSocket,
    connections?.socket,
  ]
  const runningNginx = run.add(
    createRunningNginx(
      run,
      createNginx({
        ...runtime,
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
  deps.onNginx(nginx)
  // a stop that was requested meanwhile found no nginx to stop
  if (run.isDraining()) return undefined
  await nginx.start()
  apps.startOthers()
  await Promise.race([booted, pause(systemClock, quickBootMs)])
  if (run.isDraining()) return undefined
  run.add(
    await openLocalServers(run, {
      send,
      renewCertificate: acme.renew,
      inspection: createInspection({
        ...runtime,
        pools: apps.pools,
        openInspector: (child, pid, former) =>
          openInspector(child, { clock: systemClock, timeoutMs: inspectorMs, pid, former }),
        closeInspector: address => closeInspector(address, systemClock),
      }),
      dynamicRoutes,
      retries: {
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
  follow = runningNginx.follow
  await follow()
  announce()
  run.add(
    watchFrozenProcesses({
      ...runtime,
      look: () => sightNginx(nginx?.pid()),
      maySleep: nginxProcesses.isNginxDraining,
      hasTimer: features.luaModules !== undefined,
    }),
  )
  autoscaling.begin()
  await certificates.watch()
  const { openRunDirWatch } = await import('./run-dir.ts')
  run.add(openRunDirWatch({ ...runtime, ...run, runDir: config.run_dir, instance, pools: apps.pools }))
  if (!world.isDevelopment) directories.watch()
  if (config.https !== 'off') {
    const { watchClientAuthorities } = await import('../front/client-authority-watch.ts')
    const current = () => run.settings().frontFiles.clientCertificates
    run.add(watchClientAuthorities({ ...runtime, current }))
  }
  await acme.begin()
  run.add(await openSchedules(settings, (target, reason) => send({ type: 'restart', target }, reason)))
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
    certificates,
    dynamicRoutes,
    resolveAgain: deps.resolveAgain,
    report: next => warnAboutMissingFallbacks(next.config, log),
  }

  function announce(): void {
    const { http, https } = front
    instance.update({
      httpHost: reachableHost(http[0]?.address),
      httpPort: http[0]?.port,
      httpsPort: https[0]?.port,
      livePath: config.health.live_path,
      proxyProtocol: config.proxy_protocol,
      isServing: true,
    })
    log.info('serving', { http: describeSockets(http).join(','), https: describeSockets(https).join(',') || undefined })
  }
}

function createRuntime({ world, log, stdout, stderr, run }: StartDeps, { note }: Instance): ProcessRuntime {
  return {
    clock: systemClock,
    log,
    random: systemRandom,
    spawn: createSpawn({
      stdout,
      stderr,
      umask: world.umask,
      openFiles: world.openFiles,
      pipeDirectory: join(run.settings().config.run_dir, 'pipes'),
      format: run.settings().config.log_format,
      now: systemClock.now,
      onChange: note,
    }),
  }
}

function warnOfRoot(log: Log): void {
  log.warn('nginx and the app run as root, because root lacks the capabilities to start them as other users', {
    fix: 'start as another user (docker run --user), or keep CAP_SETUID, CAP_SETGID, CAP_CHOWN and CAP_KILL',
  })
}

function bootFailure({ worker, exit, lastLines, reason }: Death): OperatorError {
  const printed = lastLines.length > 0 ? `; its last lines:\n${lastLines.join('\n')}` : ' and printed nothing'
  return new OperatorError(
    `every worker failed at its first start; ${worker} was the last one${reason === undefined ? '' : `: ${reason}`}${printed}`,
    {
      fix: 'fix the app: the log lines above show why each worker ended',
      // a server that ends by itself has failed, even with exit code 0
      code: exitCodeOf(exit) || 1,
    },
  )
}

function describeApp({ name, content, plan, context }: AppSettings, apps: number): LogFields {
  const app =
    content.kind === 'files' ? `static files in ${content.root}` : `${plan?.argv.join(' ')} (${content.origin})`
  return { name: apps > 1 ? name : undefined, app, workers: plan?.count, user: context.account?.name }
}
