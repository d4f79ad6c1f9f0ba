import { type RollResult, stopping } from '../base/roll-result.ts'
import { type BackgroundProcess, type BackgroundProcessDeps, createBackgroundProcess } from './background-process.ts'
import type { ProcessPlan } from './plan.ts'
import type { ProcessStatus } from './status.ts'

/** All processes of one name. */
export interface ProcessPool {
  start(): void
  /** Replaces them one after the other, and brings them to the plan's count. When one does not run, all go back. */
  roll(plan: ProcessPlan): Promise<RollResult>
  /** Replaces one (`queue.1`), or all. */
  restart(name?: string): Promise<RollResult>
  /** The plan in force. */
  plan(): ProcessPlan
  /** SIGKILL after `graceMs`. Settles when all are gone. */
  stop(graceMs: number): Promise<void>
  status(): ProcessStatus[]
}

/** A pool in which nothing runs until it is started, or rolled to its plan. */
export function createProcessPool(deps: BackgroundProcessDeps, initialPlan: ProcessPlan): ProcessPool {
  let plan = initialPlan
  let isStopping = false
  let processes: BackgroundProcess[] = []

  const create = (number: number, of: ProcessPlan) => createBackgroundProcess(deps, number, of)

  async function remove(leaving: readonly BackgroundProcess[]): Promise<void> {
    await Promise.all(leaving.map(one => one.stop(plan.gracefulTimeoutMs)))
    processes = processes.filter(one => !leaving.includes(one))
  }

  /** Back to the plan in force: the failed one too, whose predecessor had to stop before it. */
  async function goBack(touched: readonly BackgroundProcess[], present: number): Promise<void> {
    await remove(processes.slice(present))
    for (const one of isStopping ? [] : touched.slice(0, present)) await one.replace(plan)
  }

  async function roll(next: ProcessPlan): Promise<RollResult> {
    const present = processes.length
    for (let index = 0; index < next.count; index++) {
      const one = processes[index] ?? create(index + 1, next)
      if (index >= present) processes.push(one)
      const result = isStopping ? stopping : await one.replace(next)
      if (result.ok) continue
      await goBack(processes.slice(0, index + 1), present)
      return result
    }
    plan = next
    await remove(processes.slice(next.count))
    return { ok: true }
  }

  return {
    start() {
      processes = Array.from({ length: plan.count }, (_, index) => create(index + 1, plan))
      for (const one of processes) one.start()
    },
    roll,
    async restart(name) {
      if (name === undefined) return roll(plan)
      const one = processes.find(candidate => candidate.status().name === name)
      const known = processes.map(candidate => candidate.status().name).join(', ')
      return one?.replace(plan) ?? { ok: false, reason: `there is no ${name}; there are ${known}`, lastLines: [] }
    },
    plan: () => plan,
    async stop(graceMs) {
      isStopping = true
      await Promise.all(processes.map(one => one.stop(graceMs)))
    },
    status: () => processes.map(one => one.status()),
  }
}
