import { join } from 'node:path'
import { findTimeZone } from '../../base/adapters/time-zone.ts'
import type { World } from '../../base/world.ts'
import type { Complain } from '../../config/report.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { findContent } from '../../processes/adapters/app-content.ts'
import {
  accountEnv,
  checkAccess,
  checkPort,
  checkProgram,
  findProgramContext,
  type ProgramContext,
} from '../../processes/adapters/program-context.ts'
import { isNodeProgram } from '../../processes/adapters/project.ts'
import type { Account } from '../../processes/adapters/users.ts'
import type { AppContent } from '../../processes/app-command.ts'
import { fillPort, instanceEnv, workerEnv } from '../../processes/environment.ts'
import { hasInspectorPort, watchesItself } from '../../processes/self-watching.ts'
import { defaultStopSignal } from '../../processes/stop-signal.ts'
import type { WorkerLimits } from '../autoscaling/decision.ts'
import { watchEveryMs } from '../hangs/watch-policy.ts'
import type { AppConfig } from '../keys.ts'
import { findPhpProgram, findPhpSite, type PhpSources } from '../php/adapters/php-settings.ts'
import type { PhpSite } from '../php/site.ts'
import type { WorkerPlan } from '../plan.ts'
import { portVariableOf } from '../port-variable.ts'
import { withReadablePreload } from '../readable-preload.ts'
import { entryCount } from '../socket-paths.ts'

const loadIntervalMs = 1000
/** Default of `workers.idle`. */
const usualIdleMs = 600_000

/** Content of an app on this machine: PHP is run by a command. */
export type RunContent = Exclude<AppContent, { kind: 'php' }>

/** One configured app, resolved on this machine. */
export interface AppSettings {
  name: string
  config: AppConfig
  context: ProgramContext
  content: RunContent
  /** Directory whose PHP scripts the workers run; undefined: nginx passes every request to them. */
  php?: PhpSite | undefined
  /** Plan of the workers; undefined if nginx serves the content as static files. */
  plan: WorkerPlan | undefined
}

/** Inputs to the settings of an app. */
export interface AppSources {
  app: AppConfig
  world: World
  runDir: string
  /** Order of a restart in development; undefined: it depends on the program. */
  order: 'start-first' | 'stop-first' | undefined
  /** CPUs that the cgroup grants, rounded up. */
  cpus: number
  /** User that nginx's workers run as; undefined if monohull cannot choose it. */
  nginxUser: Account | undefined
  complain: Complain
}

/** Key of an app in the configuration. */
function keyOfApp(name: string): string {
  return name === 'app' ? name : `apps.${name}`
}

/** Settings of one app on this machine. Problems go to `complain`; undefined if the app cannot run. */
export function resolveApp(
  name: string,
  { app, world, runDir, order, cpus, nginxUser, complain }: AppSources,
): AppSettings | undefined {
  const key = keyOfApp(name)
  const given = findProgramContext(key, app, world, complain)
  if (!given) return undefined
  // in monohull's own directory, package.json is not that of an app
  const isInstallation = !app.command && given.directory === world.home
  const found: AppContent | undefined = isInstallation
    ? { kind: 'welcome', origin: 'no app given' }
    : findContent(key, app.command, { context: given, complain, php: app.php })
  if (!found) return undefined
  const resolved = resolvePhp(key, found, { app, context: given, world, cpus, nginxUser, complain })
  if (!resolved) return undefined
  const { content, context, php } = resolved
  if (content.kind === 'files') {
    if (isUnfitPath(content.root)) {
      complain(
        `${key}.command`,
        content.root,
        'contains characters that nginx would misread in a path',
        'rename the directory',
      )
      return undefined
    }
    checkAccess(key, content.root, nginxUser, complain)
    return { name, config: app, context, content, plan: undefined }
  }
  if (app.restart !== undefined && findTimeZone(world.env.TZ) === undefined)
    complain(
      `${key}.restart`,
      app.restart,
      `is in local time, and TZ=${world.env.TZ} is not a time zone`,
      'set TZ to a name such as Europe/Berlin, or unset it',
    )
  const config = php ? { ...app, protocol: 'fastcgi' as const } : app
  const portVariable = content.kind === 'command' ? portVariableOf(content.argv) : undefined
  const listen = portVariable === undefined ? app.listen : 'port'
  if (portVariable !== undefined && typeof app.workers === 'object' && app.workers.min === 0)
    complain(
      `${key}.workers.min`,
      0,
      `is not possible: ${portVariable} gives each worker its own port, and requests cannot wait at a port without a program`,
      'set workers.min: 1',
    )
  const plan = createPlan({
    ...{
      name,
      app: { ...config, listen, ...(php ? { max_requests: 0 } : {}) },
      world,
      runDir,
      order,
      context,
      content,
      portVariable,
      drainsGroup: found.kind === 'php',
    },
    // a PHP-FPM master has as many processes as the CPUs need, and counts their requests itself
    ...countWorkers(app.workers, php ? 1 : cpus),
  })
  checkProgram(`${key}.command`, plan.argv, { context: { ...context, directory: plan.directory }, complain })
  if (listen === 'inherit' && content.kind === 'command')
    checkPort(`${key}.command`, plan.argv, {
      env: { ...world.env, ...content.env, ...context.env },
      fix: 'set listen: port',
      complain,
    })
  if (content.kind === 'command') checkAccess(key, context.directory, context.account, complain)
  return { name, config, context, content, php, plan }
}

/** Content of an app, where PHP is the command that runs it. Undefined if it cannot run. */
function resolvePhp(
  key: string,
  content: AppContent,
  sources: Omit<PhpSources, 'masters'>,
): { content: RunContent; context: ProgramContext; php: PhpSite | undefined } | undefined {
  const { app, context, complain } = sources
  const { count, limits } = countWorkers(app.workers, 1)
  const all = { ...sources, masters: Math.max(1, limits?.max ?? count) }
  if (content.kind !== 'php') {
    if (app.php && (content.kind !== 'command' || app.protocol !== 'fastcgi'))
      complain(
        `${key}.php`,
        undefined,
        'is for a directory with index.php, or a command with protocol: fastcgi',
        'remove it',
      )
    return { content, context, php: app.php && findPhpSite(key, undefined, all) }
  }
  const php = findPhpSite(key, content.root, all)
  const program = php && findPhpProgram(key, php, all)
  if (!program) return undefined
  const { argv, env, account } = program
  return { content: { kind: 'command', argv, env, origin: content.origin }, context: { ...context, account }, php }
}

/** Initial number of workers. An app that is scaled by load starts with the minimum, and one that may sleep is awake: a broken one is seen. */
function countWorkers(
  workers: AppConfig['workers'],
  cpus: number,
): { count: number; limits: WorkerLimits | undefined; idleMs: number | undefined } {
  if (typeof workers !== 'object')
    return { count: workers === 'auto' ? cpus : workers, limits: undefined, idleMs: undefined }
  const { min, max, idle = usualIdleMs } = workers
  return { count: Math.max(1, min), limits: { min, max }, idleMs: min === 0 ? idle : undefined }
}

interface PlanSources {
  name: string
  app: AppConfig
  world: World
  runDir: string
  order: AppSources['order']
  context: ProgramContext
  content: Exclude<AppContent, { kind: 'files' }>
  count: number
  limits: WorkerLimits | undefined
  idleMs: number | undefined
  /** Further variable with the port of a worker. */
  portVariable: string | undefined
  drainsGroup: boolean
}

function createPlan(sources: PlanSources): WorkerPlan {
  const { name, app, world, runDir, order, context, content, count, limits, idleMs, portVariable } = sources
  const { drainsGroup } = sources
  const preload = join(world.home, 'dist/preload.cjs')
  const argv =
    content.kind === 'command'
      ? withReadablePreload(content.argv, preload)
      : [process.execPath, '--no-deprecation', join(world.home, 'dist/app/server.cjs')]
  const directory = content.kind === 'command' ? context.directory : world.home
  const isNode = isNodeProgram(argv[0] ?? '', directory, context.path)
  const nodeOptions = { ...world.env, ...(content.kind === 'command' ? content.env : {}), ...context.env }.NODE_OPTIONS
  const failsBeside = (words: readonly string[]) =>
    watchesItself(words) || hasInspectorPort(words, typeof nodeOptions === 'string' ? nodeOptions : '')
  const stopSignal = app.stop_signal ?? defaultStopSignal(argv)
  const loadFrom = limits && !isNode ? 'nginx' : 'worker'
  return {
    app: name,
    argv,
    argvFor: port => fillPort(argv, port),
    directory,
    uid: context.account?.uid,
    gid: context.account?.gid,
    count,
    entries: isRedirectable(app) ? entryCount(limits?.max ?? count, app.keepalive) : 0,
    limits,
    // a developer waits for no worker
    idleMs: world.isDevelopment ? undefined : idleMs,
    loadFrom,
    isNode,
    listen: app.listen,
    protocol: app.protocol,
    surge: app.reload.surge,
    watchesItself: watchesItself(argv),
    stopsFirst: world.isDevelopment === true && (order ? order === 'stop-first' : failsBeside(argv)),
    recycle: {
      maxRequests: app.max_requests,
      maxRequestsJitter: app.max_requests_jitter,
      maxMemoryBytes: app.max_memory ?? 0,
      maxAgeMs: app.max_age,
    },
    env: identity =>
      workerEnv(
        {
          inherited: { ...world.env, PATH: context.path },
          configured: { ...(content.kind === 'command' ? content.env : {}), ...context.env },
          account: accountEnv(context.account),
          instance: instanceEnv(runDir, world.env),
          preload,
        },
        {
          app: name,
          workers: count,
          namesDescriptor: argv.some(word => word.includes('fd://3')),
          protocol: app.protocol,
          stopSignal,
          gracefulTimeoutMs: app.graceful_timeout,
          loadIntervalMs: limits && loadFrom === 'worker' ? loadIntervalMs : undefined,
          heartbeatMs: app.timeout > 0 ? watchEveryMs(app.timeout) : 0,
          portVariable,
          ...identity,
        },
      ),
    bootTimeoutMs: app.boot_timeout,
    timeoutMs: app.timeout,
    health: app.health && { path: app.health.path, intervalMs: app.health.interval },
    stopSignal,
    gracefulTimeoutMs: app.graceful_timeout,
    drainsGroup,
    minUptimeMs: app.min_uptime,
    afterFailure: world.isDevelopment ? 'wait' : 'retry',
    backoff: { initialMs: app.backoff.initial, maxMs: app.backoff.max },
  }
}

/** Whether requests for one slot may go to another: not with a TCP port or a sticky cookie, which belong to one worker. */
export function isRedirectable({ listen, balance }: AppConfig): boolean {
  return listen === 'inherit' && balance !== 'sticky'
}
