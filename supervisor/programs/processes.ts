import { type Change, expectReverted, inOrder } from '../base/change.ts'
import type { Clock } from '../base/clock.ts'
import type { Metric } from '../base/metrics.ts'
import { type RollResult, stopping } from '../base/roll-result.ts'
import type { Stopping } from '../base/stopping.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import type { FailureLimits, FailurePolicy } from '../processes/failure-limit.ts'
import type { OomWatch } from '../processes/oom-watch.ts'
import { processMetrics } from '../processes/program-metrics.ts'
import { inStartOrder, type StartOrder } from '../processes/start-order.ts'
import type { ProcessPlan } from './plan.ts'
import type { ProcessPool, ProcessPoolDeps } from './process-pool.ts'
import type { ProcessStatus } from './status.ts'

/** Share of the remaining time of a stop after which a process stops, even if those that come after it still run. */
const turnShare = 0.6

/** Settings that the processes depend on. */
export interface ProcessesSettings {
  processes: readonly ProcessPlan[]
  config: {
    processes: Readonly<Record<string, FailurePolicy>>
    apps: Readonly<Record<string, { after: readonly string[] }>>
  }
}

/** Dependencies of the background processes. */
export interface ProcessesDeps extends ProcessRuntime {
  /** The settings in force. */
  settings(): ProcessesSettings
  oomWatch: OomWatch
  failures: FailureLimits
  order: StartOrder
}

/** The background processes of a run. */
export interface Processes {
  readonly name: string
  readonly stopsLast: boolean
  readonly pools: ReadonlyMap<string, ProcessPool>
  /** Starts those that do not run yet, each after those that its `after` names; `only`: these and what they come after. */
  start(only?: readonly string[]): void
  prepare(next: ProcessesSettings): Promise<Change>
  status(): { processes: ProcessStatus[] }
  /** Processes that failed for good while others wait for them. */
  warnings(): string[]
  metrics(): Metric[]
  quiesce(): void
  stop(how: Stopping): Promise<void>
}

type CreatePool = (deps: Pick<ProcessPoolDeps, 'onDeath' | 'onProgress'>, plan: ProcessPlan) => ProcessPool

/** The background processes of a run, not started yet. Their module is loaded only if any are configured. */
export async function openProcesses(deps: ProcessesDeps): Promise<Processes> {
  const { settings, log, order } = deps
  const pools = new Map<string, ProcessPool>()
  const holds = new Map<string, () => void>()
  let isStopping = false

  async function loadFor({ processes }: ProcessesSettings): Promise<CreatePool | undefined> {
    if (processes.length === 0) return undefined
    const { createProcessPool } = await import('./process-pool.ts')
    const { socketProbe } = await import('./adapters/socket-probe.ts')
    return (own, plan) => createProcessPool({ ...deps, ...own, probe: socketProbe }, plan)
  }

  function createPool(create: CreatePool, plan: ProcessPlan): ProcessPool {
    const { name } = plan
    const endsRun = deps.failures(() => settings().config.processes[name])
    let failedBefore: string | undefined
    const onProgress: ProcessPoolDeps['onProgress'] = progress => {
      order.report(name, progress)
      const { failed, waiting } = stuckBehind(pool)
      if (failed !== failedBefore && waiting.length > 0)
        log.warn('others wait for a process that is not restarted', {
          process: failed,
          waiting: waiting.join(','),
          fix: fixFor(name),
        })
      failedBefore = failed
    }
    const pool = create({ onDeath: ({ exit }) => endsRun(exit), onProgress }, plan)
    pools.set(name, pool)
    return pool
  }

  /** An instance that has failed and is not restarted, and the programs that wait for it. */
  function stuckBehind(pool: ProcessPool): { failed: string | undefined; waiting: string[] } {
    const failed = pool.status().find(({ state }) => state === 'failed')?.name
    return { failed, waiting: failed === undefined ? [] : order.waitingFor(pool.plan().name) }
  }

  /** Starts a pool when what it comes after is ready. */
  function startInOrder(pool: ProcessPool): void {
    const { name } = pool.plan()
    const start = () => {
      if (!isStopping) pool.start()
    }
    holds.set(
      name,
      order.hold(name, () => pool.plan().after ?? [], start),
    )
    const missing = order.waitsFor(name)
    if (missing) log.info('process waits', { process: name, for: missing.join(',') })
  }

  function remove(name: string): void {
    holds.get(name)?.()
    order.report(name, 'failed')
    order.forget(name)
    pools.delete(name)
  }

  /** Runs a new process, which must become ready. */
  async function runNew(pool: ProcessPool): Promise<RollResult> {
    const { name, after = [] } = pool.plan()
    await order.settled(after)
    if (isStopping) return stopping
    const [missing] = order.missing(after)
    const reason = `${name} comes after ${missing}, which is not ready`
    return missing === undefined ? pool.roll(pool.plan()) : { ok: false, reason, lastLines: [] }
  }

  /**
   * Change of one process to a plan: replaces its instances if their program differs, or starts them if it is new. A new one that apps
   * come after starts before them.
   */
  function changeOf(
    create: CreatePool,
    plan: ProcessPlan,
    isNeeded: boolean,
  ): Pick<Change, 'try' | 'apply' | 'revert'> {
    const present = pools.get(plan.name)
    if (present) {
      const previous = present.plan()
      const revert = async () => expectReverted(plan.name, await present.change(previous))
      return { apply: () => present.change(plan), revert }
    }
    async function revert(): Promise<void> {
      await pools.get(plan.name)?.stop(plan.gracefulTimeoutMs)
      remove(plan.name)
    }
    async function orRevert(run: () => Promise<RollResult>): Promise<RollResult> {
      if (isStopping) return stopping
      const result = await run()
      if (!result.ok) await revert()
      return result
    }
    if (isNeeded) return { revert, try: () => orRevert(() => runNew(createPool(create, plan))) }
    return {
      revert,
      apply: () =>
        orRevert(async () => {
          const pool = createPool(create, plan)
          if (order.missing(plan.after ?? []).length === 0) return pool.roll(plan)
          startInOrder(pool)
          return { ok: true }
        }),
    }
  }

  async function adopt({ processes }: ProcessesSettings): Promise<void> {
    order.refresh()
    const kept = new Set(processes.map(({ name }) => name))
    const removed = inStartOrder([...pools.values()].map(pool => pool.plan())).filter(({ name }) => !kept.has(name))
    for (const { name, gracefulTimeoutMs } of removed.reverse()) {
      await pools.get(name)?.stop(gracefulTimeoutMs)
      remove(name)
      log.info('process removed', { process: name })
    }
  }

  const processes = (): ProcessStatus[] =>
    [...pools].flatMap(([name, pool]) =>
      pool.status().map(one => (one.state === 'pending' ? { ...one, waitsFor: order.waitsFor(name) ?? [] } : one)),
    )

  const create = await loadFor(settings())
  return {
    name: 'processes',
    stopsLast: true,
    pools,
    start(only) {
      if (!create) return
      const needed = only && withAfter(only, afterOf(settings()))
      const isDue = ({ name }: ProcessPlan) => !pools.get(name)?.isStarted() && needed?.has(name) !== false
      for (const plan of settings().processes) if (!pools.has(plan.name)) createPool(create, plan)
      for (const plan of settings().processes.filter(isDue)) {
        const pool = pools.get(plan.name)
        if (pool && order.waitsFor(plan.name) === undefined) startInOrder(pool)
      }
    },
    async prepare(next) {
      const createNext = await loadFor(next)
      const needed = withAfter(
        Object.values(next.config.apps).flatMap(({ after }) => after),
        afterOf(next),
      )
      const changes = createNext
        ? inStartOrder(next.processes).map(plan => changeOf(createNext, plan, needed.has(plan.name)))
        : []
      return { ...inOrder(changes), commit: () => adopt(next) }
    },
    status: () => ({ processes: processes() }),
    warnings: () =>
      [...pools].flatMap(([name, pool]) => {
        const { failed, waiting } = stuckBehind(pool)
        if (waiting.length === 0) return []
        return [
          `${waiting.join(', ')} ${waiting.length === 1 ? 'waits' : 'wait'} for ${failed}, which failed and is not restarted: ${fixFor(name)}`,
        ]
      }),
    metrics: () => processMetrics(processes()),
    quiesce() {
      isStopping = true
      for (const end of holds.values()) end()
    },
    async stop({ mode, leftMs }: Stopping) {
      const stopPool = (pool: ProcessPool) => pool.stop(Math.min(pool.plan().gracefulTimeoutMs, leftMs()))
      if (mode === 'quick') {
        await Promise.all([...pools.values()].map(stopPool))
        return
      }
      const stopped = new Map<string, Promise<void>>()
      // those that come after others first
      for (const { name } of inStartOrder([...pools.values()].map(pool => pool.plan())).reverse()) {
        const pool = pools.get(name)
        const later = [...pools.values()].filter(other => other.plan().after?.includes(name))
        const ended = Promise.all(later.map(other => stopped.get(other.plan().name)))
        const turn = later.length === 0 ? undefined : within(deps.clock, ended, leftMs() * turnShare)
        if (pool) stopped.set(name, turn ? turn.then(() => stopPool(pool)) : stopPool(pool))
      }
      await Promise.all(stopped.values())
    },
  }
}

function fixFor(name: string): string {
  return `monohull restart ${name}, or set processes.${name}.restart to on_failure`
}

/** Settles with the promise, or after a time. */
function within(clock: Clock, promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise(resolve => {
    const cancel = clock.after(ms, resolve)
    void promise.then(() => {
      cancel()
      resolve()
    })
  })
}

function afterOf({ processes, config }: ProcessesSettings): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ...Object.entries(config.apps).map(([name, { after }]) => [name, after] as const),
    ...processes.map(({ name, after = [] }) => [name, after] as const),
  ])
}

/** The names, and all that they come after. */
function withAfter(names: readonly string[], after: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>()
  const visit = (name: string) => {
    if (found.has(name)) return
    found.add(name)
    for (const other of after.get(name) ?? []) visit(other)
  }
  for (const name of names) visit(name)
  return found
}
