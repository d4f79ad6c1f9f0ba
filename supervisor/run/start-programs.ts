import { join } from 'node:path'
import { systemClock, systemRandom } from '../base/adapters/system-clock.ts'
import { type Log, type LogFields, lineFormat, rawFormat } from '../base/log.ts'
import type { World } from '../base/world.ts'
import type { EffectiveKey } from '../config/effective.ts'
import { misspeltVariables } from '../config/variables.ts'
import { freeBytes, removeLeftovers } from '../front/adapters/spool-medium.ts'
import { type Front, openFront } from '../front/front.ts'
import { openSpoolWatch } from '../front/spool-watch.ts'
import type { Output } from '../logs/adapters/output.ts'
import type { OpenOutputs } from '../logs/open-outputs.ts'
import { namesOtlpEndpoint } from '../logs/otlp/settings.ts'
import { createRotation, type Rotation } from '../nginx/rotation.ts'
import { readMemoryGroup } from '../processes/adapters/cgroup.ts'
import { createSpawn } from '../processes/adapters/spawn.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { createFailureLimits, type FailureLimitDeps, type FailureLimits } from '../processes/failure-limit.ts'
import { createOomWatch, type OomWatch } from '../processes/oom-watch.ts'
import { createStartOrder, type StartOrder } from '../processes/start-order.ts'
import { createHookRunner, type HookRunner, startRefusedBy } from '../programs/hook-runner.ts'
import { type Jobs, openJobs } from '../programs/jobs/jobs.ts'
import { openProcesses, type Processes } from '../programs/processes.ts'
import type { OpenSharedState } from '../shared-state/open.ts'
import type { AppSettings } from '../workers/adapters/app-settings.ts'
import { workerMachine } from '../workers/adapters/machine.ts'
import { workerProbe } from '../workers/adapters/worker-probe.ts'
import { type Apps, createApps } from '../workers/apps.ts'
import { openUnansweredLog } from '../workers/deaths/adapters/unanswered-log.ts'
import { createFailedTries, type FailedTries } from '../workers/deaths/failed-tries.ts'
import { createInFlight } from '../workers/deaths/in-flight.ts'
import { unansweredName } from '../workers/deaths/in-flight-requests.ts'
import type { BootResult } from '../workers/pool-boot.ts'
import { claimRunDir, type Instance } from './adapters/instance.ts'
import { removeRunDir } from './adapters/run-dir-removal.ts'
import { expectTrustedDirectory } from './adapters/trusted-directory.ts'
import { bootFailure } from './boot-failure.ts'
import type { CommandQueue } from './command-queue.ts'
import type { RunRecord } from './record.ts'
import type { ReloadDeps } from './reload.ts'
import type { Run } from './run.ts'
import type { RunningNginx } from './running-nginx.ts'
import { hookWorkers } from './worker-hooks.ts'

/** Dependencies of startup. */
export interface StartDeps {
  world: World
  log: Log
  stdout: Output
  stderr: Output
  /** Outputs for what is no line of a program. */
  outputs: Pick<OpenOutputs, 'access' | 'reopen'>
  record: RunRecord
  run: Run
  send: CommandQueue['push']
  resolveAgain: ReloadDeps['resolveAgain']
  describeConfig: () => Promise<EffectiveKey[]>
  /** Whether run_dir belongs to this run alone, and is removed with it. */
  removesRunDir: boolean
  /** Stops the run with the exit code of the program whose failures ended it. */
  endRun: FailureLimitDeps['endRun']
  /** Called as soon as the hooks exist, for a stop during startup; `onNginx` likewise. */
  onHooks(hooks: HookRunner): void
  onNginx(nginx: RunningNginx): void
}

/** What runs once the workers boot. */
export interface StartedPrograms {
  instance: Instance
  front: Front
  hooks: HookRunner
  /** Dependencies of services that start programs. */
  shared: ProcessRuntime & {
    settings: Run['settings']
    failures: FailureLimits
    oomWatch: OomWatch
    order: StartOrder
  }
  apps: Apps
  processes: Processes
  jobs: Jobs
  /** Undefined unless shared_state is set. */
  sharedState: OpenSharedState | undefined
  failedTries: FailedTries
  rotation: Rotation
  /** Sets what a change of the workers in rotation does. Until then, nginx has the sockets of all workers. */
  onRotation(follow: () => Promise<void>): void
  booted: Promise<BootResult>
}

/**
 * Starts the programs, in this order. The ports are bound first: a port in use ends startup before anything runs, and clients wait from then
 * on instead of being refused. Then the init commands run, one after the other. Then the workers boot, which takes the longest. Undefined if
 * a stop was requested meanwhile.
 */
export async function startPrograms(deps: StartDeps): Promise<StartedPrograms | undefined> {
  const { world, log, run } = deps
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
  if (config.logs.otlp && namesOtlpEndpoint(world.env)) {
    const telemetry = (await import('./telemetry.ts')).openTelemetry({
      ...deps,
      clock: systemClock,
      logs: deps.record.logs,
    })
    if (telemetry) run.add(telemetry)
  }
  const { syslog: address, syslog_ca: caFile } = config.logs
  if (address !== undefined) {
    const { openSyslog } = await import('./syslog.ts')
    const { hostname: host } = settings.certificates
    const { logs } = deps.record
    run.add(openSyslog({ clock: systemClock, log, logs, address, caFile, host, runDir: config.run_dir }))
  }
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
  let follow = async () => {}
  const rotation = createRotation(() => follow(), runtime)
  const failures = createFailureLimits({ ...runtime, isDevelopment: world.isDevelopment, endRun: deps.endRun })
  const order = createStartOrder()
  const shared = { ...runtime, settings: run.settings, failures, oomWatch: createOomWatch(readMemoryGroup()), order }
  const unanswered = openUnansweredLog(join(config.run_dir, 'nginx', unansweredName))
  const failedTries = createFailedTries(runtime)
  const processes = await openProcesses(shared)
  const apps = run.add(
    createApps({
      ...shared,
      machine: workerMachine,
      probe: workerProbe,
      inFlight: createInFlight({ ...runtime, unanswered }),
      failedTries,
      onRotation: rotation.changed,
      onWorkerEvent: hookWorkers(hooks, () => run.settings().hooks),
      onBootFailure(death) {
        if (world.isDevelopment) return
        const { message, fix, code } = bootFailure(death)
        log.error(message, { fix })
        deps.endRun(code)
      },
    }),
  )
  run.add(processes)
  if (settings.init.length > 0) {
    const begin = (names: readonly string[]) => {
      processes.start(names)
      return order.ready(names)
    }
    await run.add((await import('../programs/init.ts')).startInit(runtime, settings.init, begin)).done
  }
  if (run.isDraining()) return undefined

  removeLeftovers(settings.spoolMedium)
  const sharedState =
    config.shared_state &&
    run.add((await import('../shared-state/open.ts')).openSharedState(runtime, config.shared_state))
  const jobs = run.add(await openJobs({ ...shared, sharedState }))
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
  const { platform, http_port, https, stop_timeout } = settings.config
  if (platform && platform !== 'none')
    log.info('platform recognised', { platform, http_port, https, stop_timeout_ms: stop_timeout })
  for (const app of settings.apps) log.info('starting', describeApp(app, settings.apps.length))
  if (settings.nginxUserName === 'root') warnOfRoot(log)
  return {
    instance,
    front,
    hooks,
    shared,
    apps,
    processes,
    jobs,
    sharedState,
    failedTries,
    rotation,
    onRotation(onChange) {
      follow = onChange
    },
    booted,
  }
}

function createRuntime({ world, log, stdout, stderr, record, run }: StartDeps, { note }: Instance): ProcessRuntime {
  return {
    clock: systemClock,
    log,
    random: systemRandom,
    spawn: createSpawn({
      stdout,
      stderr,
      logs: record.logs,
      umask: world.umask,
      openFiles: world.openFiles,
      pipeDirectory: join(run.settings().config.run_dir, 'pipes'),
      format: lineFormat(run.settings().config.log_format),
      hasOwnOutput: run.settings().config.log_format === rawFormat,
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

function describeApp({ name, content, plan, context }: AppSettings, apps: number): LogFields {
  const app =
    content.kind === 'files' ? `static files in ${content.root}` : `${plan?.argv.join(' ')} (${content.origin})`
  return { name: apps > 1 ? name : undefined, app, workers: plan?.count, user: context.account?.name }
}
