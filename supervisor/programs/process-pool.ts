import { type RollResult, stopping } from '../base/roll-result.ts'
import type { Progress } from '../processes/start-order.ts'
import { type BackgroundProcess, type BackgroundProcessDeps, createBackgroundProcess } from './background-process.ts'
import { isSameProgram, type ProcessPlan } from './plan.ts'
import type { ProcessStatus } from './status.ts'

/** All instances of one background process. */
export interface ProcessPool {
  start(): void
  /** Whether it has begun to start its instances. */
  isStarted(): boolean
  /**
   * Replaces the instances one after the other, up to the plan's count, unless the plan has the same program. If one fails to run, all
   * return to the old plan; one that was down before may stay so.
   */
  change(plan: ProcessPlan): Promise<RollResult>
  /** The same, but replaces instances of the same program too, and each must run. */
  roll(plan: ProcessPlan): Promise<RollResult>
  /** Replaces one instance (`queue.1`), or all. */
  restart(name?: string): Promise<RollResult>
  /** The plan in force. */
  plan(): ProcessPlan
  /** Stops all instances, with SIGKILL after `graceMs`. Resolves when they are gone. */
  stop(graceMs: number): Promise<void>
  /** Instances that have not started are pending. */
  status(): ProcessStatus[]
}

/** Dependencies of a pool. */
export interface ProcessPoolDeps extends Omit<BackgroundProcessDeps, 'onProgress'> {
  /** Called with how far the instances are: ready if all are, failed if any has. */
  onProgress: (progress: Progress) => void
}

/** Pool that runs nothing until `start` or `roll`. */
export function createProcessPool({ onProgress, ...deps }: ProcessPoolDeps, initialPlan: ProcessPlan): ProcessPool {
  let plan = initialPlan
  let isStopping = false
  let processes: BackgroundProcess[] = []

  const create = (number: number, of: ProcessPlan) =>
    createBackgroundProcess({ ...deps, onProgress: report }, number, of)

  function report(): void {
    const all = processes.map(one => one.progress())
    if (isStopping || all.length < plan.count) return
    onProgress(all.includes('failed') ? 'failed' : all.includes('starting') ? 'starting' : 'ready')
  }

  async function remove(removed: readonly BackgroundProcess[]): Promise<void> {
    await Promise.all(removed.map(one => one.stop(plan.gracefulTimeoutMs)))
    processes = processes.filter(one => !removed.includes(one))
  }

  /** Returns to the plan in force. That includes the failed instance, whose predecessor had to stop before it started. */
  async function goBack(touched: readonly BackgroundProcess[], present: number): Promise<void> {
    await remove(processes.slice(present))
    for (const one of isStopping ? [] : touched.slice(0, present)) await one.replace(plan)
  }

  async function roll(next: ProcessPlan, mayStayDown = false): Promise<RollResult> {
    const present = processes.length
    for (let index = 0; index < next.count; index++) {
      const one = processes[index] ?? create(index + 1, next)
      if (index >= present) processes.push(one)
      const wasDown = one.isDown()
      const result = isStopping ? stopping : await one.replace(next)
      if (result.ok) continue
      if (wasDown && mayStayDown && !isStopping) {
        deps.log.warn('process was down before and does not run now', {
          process: one.status().name,
          reason: result.reason,
        })
        continue
      }
      await goBack(processes.slice(0, index + 1), present)
      return result
    }
    plan = next
    report()
    await remove(processes.slice(next.count))
    return { ok: true }
  }

  return {
    start() {
      processes = Array.from({ length: plan.count }, (_, index) => create(index + 1, plan))
      for (const one of processes) one.start()
    },
    isStarted: () => processes.length > 0,
    async change(next) {
      if (processes.length > 0 && !isSameProgram(plan, next)) return roll(next, true)
      plan = next
      for (const one of processes) one.adopt(next)
      return { ok: true }
    },
    roll: next => roll(next),
    async restart(name) {
      if (name === undefined) return roll(plan)
      const one = processes.find(candidate => candidate.status().name === name)
      const known = processes.map(candidate => candidate.status().name).join(', ')
      return (
        one?.replace(plan) ?? {
          ok: false,
          reason: `there is no process ${name}; the processes are ${known}`,
          isUnknown: true,
          lastLines: [],
        }
      )
    },
    plan: () => plan,
    async stop(graceMs) {
      isStopping = true
      await Promise.all(processes.map(one => one.stop(graceMs)))
    },
    status: () => (processes.length > 0 ? processes.map(one => one.status()) : pending(plan)),
  }
}

function pending({ name, count }: ProcessPlan): ProcessStatus[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${name}.${index + 1}`,
    state: 'pending',
    pid: undefined,
    uptimeSeconds: undefined,
    restarts: 0,
    crashes: 0,
    replacements: 0,
  }))
}
