import type { Command, Outcome } from '../domain/command.ts'
import type { WorkerPool } from '../services/worker-pool.ts'
import type { RollResult } from '../services/worker-slot.ts'
import type { Parts } from './parts.ts'
import { reload } from './reload.ts'

/** Does a command that is no stop, and tells what came of it. */
export async function runCommand(parts: Parts, command: Command): Promise<Outcome> {
  const { pool } = parts
  switch (command.type) {
    case 'reload':
      return reload(parts)
    case 'restart':
      return pool ? restart(pool, command.worker) : withoutWorkers
    case 'scale':
      return pool ? scale(pool, command.workers) : withoutWorkers
    case 'scaleBy':
      return pool ? scale(pool, Math.max(1, pool.plan().count + command.change)) : withoutWorkers
    case 'reopenLogs':
      parts.nginx?.reopenLogs()
      return { ok: true, message: 'log files reopened' }
    case 'stop':
    case 'quickStop':
      throw new Error(`cannot run ${command.type} as a command of the queue`)
  }
}

const withoutWorkers: Outcome = {
  ok: false,
  message: 'command refused',
  reason: 'the content is static files: there are no workers',
}

async function restart(pool: WorkerPool, worker: string | undefined): Promise<Outcome> {
  const result = worker === undefined ? await pool.roll(pool.plan()) : await pool.restart(worker)
  if (result.ok) return { ok: true, message: worker === undefined ? 'workers replaced' : `${worker} replaced` }
  return { ok: false, message: 'rolling restart abandoned, the old workers stay', reason: explain(result) }
}

async function scale(pool: WorkerPool, workers: number): Promise<Outcome> {
  const result = await pool.scale(workers)
  if (result.ok) return { ok: true, message: `${workers} worker${workers === 1 ? '' : 's'} now` }
  return { ok: false, message: 'scaling abandoned, the old workers stay', reason: explain(result) }
}

function explain(result: Extract<RollResult, { ok: false }>): string {
  return [result.reason, ...result.lastLines].join('\n')
}
