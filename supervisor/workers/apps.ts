import { type Change, inOrder } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import type { Stopping } from '../base/stopping.ts'
import type { Child, ProcessRuntime, SpawnSpec } from '../processes/child.ts'
import type { Death } from '../processes/death.ts'
import type { Exit } from '../processes/exit.ts'
import type { FailureLimits, FailurePolicy } from '../processes/failure-limit.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { workerMetrics } from '../processes/program-metrics.ts'
import type { SlotSockets } from '../processes/sockets.ts'
import type { StartOrder } from '../processes/start-order.ts'
import { type AppSettings, isRedirectable } from './adapters/app-settings.ts'
import { addApp, changeApp, siblingsMs } from './app-change.ts'
import { targetOf, type WorkerEntry } from './app-upstream.ts'
import type { WorkerLimits } from './autoscaling/decision.ts'
import type { FailedTries, FailedTry } from './deaths/failed-tries.ts'
import type { InFlight } from './deaths/in-flight.ts'
import { createDetachedWatch, type DetachedWatchDeps } from './detached.ts'
import { createHeldApps } from './held-apps.ts'
import { plannedServers, type WorkerPlan } from './plan.ts'
import { createWorkerPool, type WorkerPool, type WorkerPoolDeps } from './pool.ts'
import type { BootResult } from './pool-boot.ts'
import type { WorkerProbe } from './readiness.ts'
import { countReady, describeUnready, sumWorkers, type WorkerCount } from './ready-count.ts'
import type { WorkerStatus } from './status.ts'
import type { WorkerEvent } from './worker.ts'

/** Settings that the apps depend on. */
export interface AppsSettings {
  apps: readonly AppSettings[]
  config: {
    run_dir: string
    apps: Readonly<Record<string, FailurePolicy & { after: readonly string[] }>>
    routes: readonly { target: { kind: string; name?: string | undefined } }[]
    dynamic_routes?: unknown
  }
  nginxUser: { gid: number } | undefined
}

/** The apps' part of nginx's model. */
export interface AppsModel {
  /** Addresses of the workers of an app. */
  serversOf(plan: WorkerPlan): WorkerEntry[]
}

/** What the apps ask of the machine they run on. */
export interface WorkerMachine extends Pick<WorkerPoolDeps, 'portsOf' | 'ownerOf' | 'readStack' | 'memoryOf'> {
  /** Sockets of workers that a group may connect to. */
  socketsFor(gid: number | undefined): SlotSockets
  /** Processes that workers of the instance in `runDir` have left behind; `living`: pids of running workers by name. */
  findDetached(runDir: string, living: Parameters<DetachedWatchDeps['find']>[0]): ReturnType<DetachedWatchDeps['find']>
  signalDetached: DetachedWatchDeps['signal']
}

/** Dependencies of the apps of a run. */
export interface AppsDeps extends ProcessRuntime {
  machine: WorkerMachine
  /** The settings in force. */
  settings(): AppsSettings
  probe: WorkerProbe
  oomWatch: OomWatch
  /** Finds the requests that were in flight when a worker died. */
  inFlight: InFlight
  failedTries: Pick<FailedTries, 'exited'>
  /** Updates nginx's list of workers. */
  onRotation(): Promise<void>
  /** Called when a worker became ready or ended. */
  onWorkerEvent(event: WorkerEvent): void
  failures: FailureLimits
  order: StartOrder
  /** Called when every worker of an app that started late, because of `after`, has failed at its first start. */
  onBootFailure(death: Death): void
}

/** The apps of a run that have workers. */
export interface Apps {
  readonly name: string
  readonly pools: ReadonlyMap<string, WorkerPool>
  /**
   * Starts `atOnce` workers of every app, or all where nginx lists them one by one. Throws if their sockets cannot be created. Resolves when each app has a ready worker,
   * or as soon as one app has failed. An app that waits for a process that has failed is not waited for.
   */
  start(atOnce?: number): Promise<BootResult>
  /** Starts the other workers. */
  startOthers(): void
  /** Waits up to 100 ms for the other workers of each app. */
  settled(): Promise<void>
  /** From now on, nginx's model contains only ready workers, and a death may end the run. */
  serve(): void
  prepare(next: AppsSettings): Promise<Change<AppsModel>>
  model(settings: AppsSettings): AppsModel
  status(): { workers: WorkerStatus[]; scaled: ScaledApp[] }
  metrics(): Metric[]
  /** Reason why not every routed app has a ready worker; undefined if every one has. */
  unready(): string | undefined
  /** Workers of all routed apps; undefined without any. */
  workers(): WorkerCount | undefined
  /** Whether requests waited for an app that did not boot after sleep. */
  hasFailedToWake(app: string): boolean
  /** Address for another try of a request, in nginx's notation; undefined: nginx chooses. */
  nextFor(app: string, failed: Pick<FailedTry, 'address'> & { isSuspect: boolean }): string | undefined
  quiesce(): void
  stop(how: Stopping): Promise<void>
}

/** An app that is scaled by load, with its limits and present number of workers. */
export interface ScaledApp extends WorkerLimits {
  app: string
  workers: number
  /** Undefined unless it sleeps, until the next request. */
  isAsleep?: boolean
}

/** The apps of a run, not started yet. */
export function createApps(deps: AppsDeps): Apps {
  const { log, settings, machine, order } = deps
  const pools = new Map<string, WorkerPool>()
  const held = createHeldApps({ ...deps, pools, after: name => settings().config.apps[name]?.after ?? [] })
  let isServing = false
  let isStopping = false

  const detached = createDetachedWatch({
    ...deps,
    find: living => machine.findDetached(settings().config.run_dir, living),
    signal: machine.signalDetached,
    policyOf: worker => settings().apps.find(({ name }) => `${name}.` === worker.replace(/\d+$/, ''))?.config.detached,
  })

  function spawnWatched(spec: SpawnSpec): Child {
    const child = deps.spawn(spec)
    detached.started(spec.name, child.pid)
    void child.exited.then(() => detached.ended(spec.name, child.pid))
    return child
  }

  function createPool(plan: WorkerPlan): WorkerPool {
    const { config, nginxUser } = settings()
    const endsRun = deps.failures(() => settings().config.apps[plan.app])
    return createWorkerPool(
      {
        ...deps,
        ...machine,
        spawn: spawnWatched,
        sockets: machine.socketsFor(nginxUser?.gid),
        runDir: config.run_dir,
        onDeath: ({ exit }: { exit: Exit }) => isServing && endsRun(exit),
        onWorkerEvent(event: WorkerEvent) {
          if (event.type === 'ready') order.report(plan.app, 'ready')
          deps.onWorkerEvent(event)
        },
      },
      plan,
    )
  }

  /** Stops the workers of apps that the settings no longer contain. nginx no longer uses them. */
  async function retireRemoved({ apps }: AppsSettings): Promise<void> {
    const kept = new Set(apps.flatMap(({ plan }) => plan?.app ?? []))
    for (const [name, pool] of pools) {
      if (kept.has(name)) continue
      await pool.retire()
      pools.delete(name)
      order.forget(name)
      log.info('app removed', { app: name })
    }
  }

  const ready = ({ app }: WorkerPlan): WorkerEntry[] => pools.get(app)?.rotation() ?? []
  const all = (plan: WorkerPlan, runDir: string): WorkerEntry[] =>
    pools.get(plan.app)?.addresses() ?? plannedServers(plan, runDir)
  const workers = (): WorkerStatus[] =>
    [...pools].flatMap(([name, pool]) => {
      const waitsFor = order.waitsFor(name)
      return waitsFor ? pool.status().map(one => ({ ...one, state: 'pending' as const, waitsFor })) : pool.status()
    })

  /** Apps that nginx serves itself are always ready for those that come after them. */
  function reportFiles({ apps }: AppsSettings): void {
    for (const { name, plan } of apps) if (!plan) order.report(name, 'ready')
  }

  function routed() {
    const { routes } = settings().config
    const names = new Set(routes.flatMap(({ target }) => (target.kind === 'app' ? (target.name ?? []) : [])))
    return [...pools].flatMap(([name, pool]) => (names.has(name) ? [countReady(name, pool.status())] : []))
  }

  return {
    name: 'apps',
    pools,
    start(atOnce) {
      reportFiles(settings())
      for (const { plan } of settings().apps) if (plan) pools.set(plan.app, createPool(plan))
      for (const name of unroutedApps(settings()))
        log.warn('no route leads to an app', { app: name, fix: `add {path: /${name}, app: ${name}} to routes` })
      const boots = settings().apps.flatMap(({ plan, config }) => {
        // otherwise nginx is reloaded for each worker that comes later
        const count = isRedirectable(config) ? atOnce : plan?.count
        const pool = plan && pools.get(plan.app)
        return pool ? held.start(pool, count) : []
      })
      const failed = new Promise<BootResult>(resolve => {
        for (const boot of boots) void boot.then(result => !result.ok && resolve(result))
      })
      return Promise.race([failed, Promise.all(boots).then((): BootResult => ({ ok: true }))])
    },
    startOthers() {
      for (const [name, pool] of pools) if (!held.isHeld(name)) pool.startOthers()
    },
    async settled() {
      await Promise.all([...pools.values()].map(pool => pool.settled(siblingsMs)))
    },
    serve() {
      isServing = true
    },
    async prepare(next) {
      const changes = next.apps.flatMap(({ plan }) => {
        if (!plan) return []
        if (held.isHeld(plan.app)) return held.change(plan)
        const pool = pools.get(plan.app)
        const change = pool ? changeApp(pool, plan) : addApp({ pools, createPool, isStopping: () => isStopping }, plan)
        return held.inTurn(change, plan.app, next.config.apps[plan.app]?.after ?? [])
      })
      reportFiles(next)
      const { isApplied, ...steps } = inOrder(changes)
      return {
        ...steps,
        model: () => ({ serversOf: plan => (isApplied() ? ready(plan) : all(plan, next.config.run_dir)) }),
        commit: () => retireRemoved(next),
      }
    },
    model: ({ config }) => ({ serversOf: plan => (isServing ? ready(plan) : all(plan, config.run_dir)) }),
    status: () => ({
      workers: workers(),
      scaled: [...pools.values()].flatMap(pool => {
        const { app, count, limits } = pool.plan()
        return limits ? [{ app, workers: count, ...limits, ...(pool.isAsleep() ? { isAsleep: true } : {}) }] : []
      }),
    }),
    metrics: () => workerMetrics(workers()),
    unready: () => describeUnready(routed(), name => order.waitsFor(name)),
    workers: () => sumWorkers(routed()),
    hasFailedToWake: app => pools.get(app)?.hasFailedToWake() ?? false,
    nextFor(app, { address, isSuspect }) {
      const pool = pools.get(app)
      const next = pool?.addressAfter(address, isSuspect)
      return next && targetOf(next, pool?.plan().protocol)
    },
    quiesce() {
      isStopping = true
      held.end()
    },
    async stop({ leftMs }: Stopping) {
      const graceOf = ({ gracefulTimeoutMs }: WorkerPlan) => Math.min(gracefulTimeoutMs, leftMs())
      await Promise.all([...pools.values()].map(pool => pool.stop(graceOf(pool.plan()))))
      await detached.stop()
    },
  }
}

/** Names of the apps without a route. */
export function unroutedApps({ apps, config }: Pick<AppsSettings, 'apps' | 'config'>): string[] {
  // dynamic routes may lead to them
  if (config.dynamic_routes) return []
  return apps
    .map(({ name }) => name)
    .filter(name => !config.routes.some(({ target }) => target.kind === 'app' && target.name === name))
}
