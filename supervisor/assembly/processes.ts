import type { Change } from '../services/changes.ts'
import { createProcessPool, type ProcessPool } from '../services/process-pool.ts'
import type { ProcessPlan } from '../services/program-plan.ts'
import { createFailureLimit } from './failure-limit.ts'
import type { Parts } from './parts.ts'

/** Starts the processes that get no requests. */
export function startProcesses(parts: Parts): void {
  for (const plan of parts.settings.processes) {
    const pool = assembleProcesses(parts, plan)
    parts.processes.set(plan.name, pool)
    pool.start()
  }
}

/** What brings the processes of a name to a plan: they are replaced, or, when they are new, started. */
export function processChange(parts: Parts, plan: ProcessPlan): Change {
  const present = parts.processes.get(plan.name)
  if (present) {
    const previous = present.plan()
    return { apply: () => present.roll(plan), revert: () => present.roll(previous) }
  }
  const pool = assembleProcesses(parts, plan)
  async function revert(): Promise<void> {
    await pool.stop(plan.gracefulTimeoutMs)
    parts.processes.delete(plan.name)
  }
  return {
    revert,
    async apply() {
      if (parts.isDraining) return { ok: false, reason: 'monohull is stopping', lastLines: [] }
      parts.processes.set(plan.name, pool)
      const result = await pool.roll(plan)
      if (!result.ok) await revert()
      return result
    },
  }
}

/** Stops the processes that the settings no longer have. */
export async function removeProcesses(parts: Parts): Promise<void> {
  const kept = new Set(parts.settings.processes.map(({ name }) => name))
  for (const [name, pool] of parts.processes) {
    if (kept.has(name)) continue
    await pool.stop(pool.plan().gracefulTimeoutMs)
    parts.processes.delete(name)
    parts.log.info('process removed', { process: name })
  }
}

function assembleProcesses(parts: Parts, plan: ProcessPlan): ProcessPool {
  const { surroundings, oomWatch } = parts
  if (!surroundings || !oomWatch) throw new Error('cannot assemble processes before the start')
  const endsRun = createFailureLimit(parts, () => parts.settings.config.processes[plan.name])
  return createProcessPool(
    {
      ...surroundings,
      oomWatch,
      onDeath: ({ exit }) => endsRun(exit),
    },
    plan,
  )
}
