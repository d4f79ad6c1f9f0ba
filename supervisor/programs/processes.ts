import { type Change, expectReverted, inOrder } from '../base/change.ts'
import type { Metric } from '../base/metrics.ts'
import { stopping } from '../base/roll-result.ts'
import type { Stopping } from '../base/stopping.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import type { FailureLimits, FailurePolicy } from '../processes/failure-limit.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { processMetrics } from '../processes/program-metrics.ts'
import type { ProcessPlan } from './plan.ts'
import type { createProcessPool, ProcessPool } from './process-pool.ts'
import type { ProcessStatus } from './status.ts'

/** Settings that the processes depend on. */
export interface ProcessesSettings {
  processes: readonly ProcessPlan[]
  config: { processes: Readonly<Record<string, FailurePolicy>> }
}

/** Dependencies of the background processes. */
export interface ProcessesDeps extends ProcessRuntime {
  /** The settings in force. */
  settings(): ProcessesSettings
  oomWatch: OomWatch
  failures: FailureLimits
}

/** The background processes of a run. */
export interface Processes {
  readonly name: string
  readonly stopsLast: boolean
  readonly pools: ReadonlyMap<string, ProcessPool>
  start(): void
  prepare(next: ProcessesSettings): Promise<Change>
  status(): { processes: ProcessStatus[] }
  metrics(): Metric[]
  quiesce(): void
  stop(how: Stopping): Promise<void>
}

/** The background processes of a run, not started yet. Their module is loaded only if any are configured. */
export async function openProcesses(deps: ProcessesDeps): Promise<Processes> {
  const { settings, log } = deps
  const pools = new Map<string, ProcessPool>()
  let isStopping = false

  async function loadFor({ processes }: ProcessesSettings): Promise<typeof createProcessPool | undefined> {
    return processes.length === 0 ? undefined : (await import('./process-pool.ts')).createProcessPool
  }

  function createPool(create: typeof createProcessPool, plan: ProcessPlan): ProcessPool {
    const endsRun = deps.failures(() => settings().config.processes[plan.name])
    return create({ ...deps, onDeath: ({ exit }) => endsRun(exit) }, plan)
  }

  /** Change of one process to a plan: replaces its instances if their program differs, or starts them if it is new. */
  function changeOf(create: typeof createProcessPool, plan: ProcessPlan): Pick<Change, 'apply' | 'revert'> {
    const present = pools.get(plan.name)
    if (present) {
      const previous = present.plan()
      const revert = async () => expectReverted(plan.name, await present.change(previous))
      return { apply: () => present.change(plan), revert }
    }
    const pool = createPool(create, plan)
    async function revert(): Promise<void> {
      await pool.stop(plan.gracefulTimeoutMs)
      pools.delete(plan.name)
    }
    return {
      revert,
      async apply() {
        if (isStopping) return stopping
        pools.set(plan.name, pool)
        const result = await pool.roll(plan)
        if (!result.ok) await revert()
        return result
      },
    }
  }

  async function stopRemoved({ processes }: ProcessesSettings): Promise<void> {
    const kept = new Set(processes.map(({ name }) => name))
    for (const [name, pool] of pools) {
      if (kept.has(name)) continue
      await pool.stop(pool.plan().gracefulTimeoutMs)
      pools.delete(name)
      log.info('process removed', { process: name })
    }
  }

  const processes = (): ProcessStatus[] => [...pools.values()].flatMap(pool => pool.status())

  const create = await loadFor(settings())
  return {
    name: 'processes',
    stopsLast: true,
    pools,
    start() {
      if (!create) return
      for (const plan of settings().processes) {
        const pool = createPool(create, plan)
        pools.set(plan.name, pool)
        pool.start()
      }
    },
    async prepare(next) {
      const createNext = await loadFor(next)
      const changes = createNext ? next.processes.map(plan => changeOf(createNext, plan)) : []
      return { ...inOrder(changes), commit: () => stopRemoved(next) }
    },
    status: () => ({ processes: processes() }),
    metrics: () => processMetrics(processes()),
    quiesce() {
      isStopping = true
    },
    async stop({ leftMs }: Stopping) {
      const graceOf = ({ gracefulTimeoutMs }: ProcessPlan) => Math.min(gracefulTimeoutMs, leftMs())
      await Promise.all([...pools.values()].map(pool => pool.stop(graceOf(pool.plan()))))
    },
  }
}
