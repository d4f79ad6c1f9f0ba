import { type Change, expectReverted, inOrder } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import { stopping } from '../base/roll-result.ts'
import type { Stopping } from '../base/stopping.ts'
import { createSlotSockets } from '../processes/adapters/listeners.ts'
import { describePortOwner, memoryOfGroups, portsOfGroup } from '../processes/adapters/procfs.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { describeExit, type Exit } from '../processes/exit.ts'
import type { FailureLimits, FailurePolicy } from '../processes/failure-limit.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { workerMetrics } from '../processes/program-metrics.ts'
import type { AppSettings } from './adapters/app-settings.ts'
import { httpProbe } from './adapters/http-probe.ts'
import { targetOf, type WorkerEntry } from './app-upstream.ts'
import { keepScale } from './autoscaling/autoscaling.ts'
import type { WorkerLimits } from './autoscaling/decision.ts'
import type { FailedTries, FailedTry } from './deaths/failed-tries.ts'
import type { InFlight } from './deaths/in-flight.ts'
import { readHungStack } from './hangs/adapters/hung-stack.ts'
import { plannedServers, type WorkerPlan } from './plan.ts'
import { createWorkerPool, type WorkerPool } from './pool.ts'
import type { BootResult } from './pool-boot.ts'
import { countReady, describeUnready, sumWorkers, type WorkerCount } from './ready-count.ts'
import type { WorkerStatus } from './status.ts'
import type { WorkerEvent } from './worker.ts'

/** Time that the first ready worker waits for the others before nginx is reloaded. */
const siblingsMs = 100

/** Settings that the apps depend on. */
export interface AppsSettings {
  apps: readonly AppSettings[]
  config: {
    run_dir: string
    apps: Readonly<Record<string, FailurePolicy>>
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

/** Dependencies of the apps of a run. */
export interface AppsDeps extends ProcessRuntime {
  /** The settings in force. */
  settings(): AppsSettings
  oomWatch: OomWatch
  /** Finds the requests that were in flight when a worker died. */
  inFlight: InFlight
  failedTries: Pick<FailedTries, 'exited'>
  /** Updates nginx's list of workers. */
  onRotation(): Promise<void>
  /** Called when a worker became ready or ended. */
  onWorkerEvent(event: WorkerEvent): void
  failures: FailureLimits
}

/** The apps of a run that have workers. */
export interface Apps {
  readonly name: string
  readonly pools: ReadonlyMap<string, WorkerPool>
  /**
   * Starts the workers of every app. Throws if their sockets cannot be created. Resolves when each app has a ready worker,
   * or as soon as one app has failed.
   */
  start(): Promise<BootResult>
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
  /** Address for another try of a request, in nginx's notation; undefined: nginx chooses. */
  nextFor(app: string, failed: Pick<FailedTry, 'address'>): string | undefined
  quiesce(): void
  stop(how: Stopping): Promise<void>
}

/** An app that is scaled by load, with its limits and present number of workers. */
export interface ScaledApp extends WorkerLimits {
  app: string
  workers: number
}

/** The apps of a run, not started yet. */
export function createApps(deps: AppsDeps): Apps {
  const { log, settings } = deps
  const pools = new Map<string, WorkerPool>()
  let isServing = false
  let isStopping = false

  function createPool(plan: WorkerPlan): WorkerPool {
    const { config, nginxUser } = settings()
    const endsRun = deps.failures(() => settings().config.apps[plan.app])
    return createWorkerPool(
      {
        ...deps,
        sockets: createSlotSockets({ uid: undefined, gid: nginxUser?.gid }),
        probe: httpProbe,
        runDir: config.run_dir,
        portsOf: portsOfGroup,
        ownerOf: describePortOwner,
        readStack: readHungStack,
        memoryOf: memoryOfGroups,
        onDeath: ({ exit }: { exit: Exit }) => isServing && endsRun(exit),
      },
      plan,
    )
  }

  /** Change of an app to a plan: replaces its workers, or starts them if it is new. */
  function changeOf(plan: WorkerPlan): Pick<Change, 'apply' | 'revert'> {
    const pool = pools.get(plan.app)
    if (!pool) return additionOf(plan)
    const previous = pool.plan()
    return {
      apply: () => pool.roll(keepScale(plan, previous.count)),
      revert: async () => expectReverted(plan.app, await pool.roll(previous)),
    }
  }

  function additionOf(plan: WorkerPlan): Pick<Change, 'apply' | 'revert'> {
    const pool = createPool(plan)
    async function revert(): Promise<void> {
      await pool.stop(plan.gracefulTimeoutMs)
      pools.delete(plan.app)
    }
    return {
      revert,
      async apply() {
        if (isStopping) return stopping
        pools.set(plan.app, pool)
        const result = await startOrRevert(pool, revert)
        if (result.ok) {
          await pool.settled(siblingsMs)
          return result
        }
        await revert()
        const { worker, exit, lastLines } = result.death
        return { ok: false, reason: `${worker}: it ended with ${describeExit(exit)} before it was ready`, lastLines }
      },
    }
  }

  /** Stops the workers of apps that the settings no longer contain. nginx no longer uses them. */
  async function retireRemoved({ apps }: AppsSettings): Promise<void> {
    const kept = new Set(apps.flatMap(({ plan }) => plan?.app ?? []))
    for (const [name, pool] of pools) {
      if (kept.has(name)) continue
      await pool.retire()
      pools.delete(name)
      log.info('app removed', { app: name })
    }
  }

  const ready = ({ app }: WorkerPlan): WorkerEntry[] => pools.get(app)?.rotation() ?? []
  const all = (plan: WorkerPlan, runDir: string): WorkerEntry[] =>
    pools.get(plan.app)?.addresses() ?? plannedServers(plan, runDir)
  const workers = (): WorkerStatus[] => [...pools.values()].flatMap(pool => pool.status())

  function routed() {
    const { routes } = settings().config
    const names = new Set(routes.flatMap(({ target }) => (target.kind === 'app' ? (target.name ?? []) : [])))
    return [...pools].flatMap(([name, pool]) => (names.has(name) ? [countReady(name, pool.status())] : []))
  }

  return {
    name: 'apps',
    pools,
    start() {
      for (const { plan } of settings().apps) if (plan) pools.set(plan.app, createPool(plan))
      for (const name of unroutedApps(settings()))
        log.warn('no route leads to an app', { app: name, fix: `add {path: /${name}, app: ${name}} to routes` })
      const boots = [...pools.values()].map(pool => pool.start())
      const failed = new Promise<BootResult>(resolve => {
        for (const boot of boots) void boot.then(result => !result.ok && resolve(result))
      })
      return Promise.race([failed, Promise.all(boots).then((): BootResult => ({ ok: true }))])
    },
    async settled() {
      await Promise.all([...pools.values()].map(pool => pool.settled(siblingsMs)))
    },
    serve() {
      isServing = true
    },
    async prepare(next) {
      const { isApplied, apply, revert } = inOrder(next.apps.flatMap(({ plan }) => (plan ? changeOf(plan) : [])))
      return {
        apply,
        revert,
        model: () => ({ serversOf: plan => (isApplied() ? ready(plan) : all(plan, next.config.run_dir)) }),
        commit: () => retireRemoved(next),
      }
    },
    model: ({ config }) => ({ serversOf: plan => (isServing ? ready(plan) : all(plan, config.run_dir)) }),
    status: () => ({
      workers: workers(),
      scaled: [...pools.values()].flatMap(pool => {
        const { app, count, limits } = pool.plan()
        return limits ? [{ app, workers: count, ...limits }] : []
      }),
    }),
    metrics: () => workerMetrics(workers()),
    unready: () => describeUnready(routed()),
    workers: () => sumWorkers(routed()),
    nextFor(app, { address }) {
      const next = pools.get(app)?.addressAfter(address)
      return next && targetOf(next)
    },
    quiesce() {
      isStopping = true
    },
    async stop({ leftMs }: Stopping) {
      const graceOf = ({ gracefulTimeoutMs }: WorkerPlan) => Math.min(gracefulTimeoutMs, leftMs())
      await Promise.all([...pools.values()].map(pool => pool.stop(graceOf(pool.plan()))))
    },
  }
}

async function startOrRevert(pool: WorkerPool, revert: () => Promise<void>): Promise<BootResult> {
  try {
    return await pool.start()
  } catch (error) {
    await revert()
    throw error
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
