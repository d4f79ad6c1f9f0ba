import type { Command, Outcome } from '../domain/command.ts'
import type { RollResult } from '../services/roll-result.ts'
import type { WorkerPool } from '../services/worker-pool.ts'
import type { Parts } from './parts.ts'
import { appAtRoot } from './settings.ts'

/** Does a command that is no stop, and tells what came of it. What the start does without is loaded here. */
export async function runCommand(parts: Parts, command: Command): Promise<Outcome> {
  switch (command.type) {
    case 'reload':
      return (await import('./reload.ts')).reload(parts)
    case 'restart':
      return restart(parts, command.target)
    case 'scale':
      return scale(parts, command.app, () => command.workers)
    case 'scaleBy':
      return scale(parts, appAtRoot(parts.settings.config), present => Math.max(1, present + command.change))
    case 'purgeCache':
      return (await import('./purge-cache.ts')).purgeCache(parts, command.prefix)
    case 'setRoute':
    case 'removeRoute':
      return (await import('./dynamic-routes.ts')).changeRoute(parts, command)
    case 'refreshCertificates':
      return (await import('./refresh-certificates.ts')).refreshCertificates(parts)
    case 'reopenLogs':
      parts.nginx?.reopenLogs()
      return { ok: true, message: 'log files reopened' }
    case 'stop':
    case 'quickStop':
      throw new Error(`cannot run ${command.type} as a command of the queue`)
  }
}

function refused(reason: string): Outcome {
  return { ok: false, message: 'command refused', reason }
}

const withoutWorkers = refused('there are no workers: what is served is files or comes from elsewhere')

async function restart(parts: Parts, target: string | undefined): Promise<Outcome> {
  const all = new Map<string, Restartable>([...parts.pools, ...parts.processes])
  if (all.size === 0) return withoutWorkers
  const result = target === undefined ? await restartAll(all) : await restartOne(all, target)
  if (result.ok) return { ok: true, message: target === undefined ? 'workers replaced' : `${target} replaced` }
  const isProcess = target !== undefined && parts.processes.has(target.replace(/\.\d+$/, ''))
  const what = isProcess ? 'restart failed, and is tried again with backoff' : rollAbandoned
  return { ok: false, message: what, ...whyOf(result) }
}

const rollAbandoned = 'rolling restart abandoned, the old workers stay'

interface Restartable {
  /** Replaces one by its name, or all. */
  restart(name?: string): Promise<RollResult>
}

async function restartAll(all: ReadonlyMap<string, Restartable>): Promise<RollResult> {
  for (const pool of all.values()) {
    const result = await pool.restart()
    if (!result.ok) return result
  }
  return { ok: true }
}

/** `api`: all of an app; `api.2`: one worker. */
async function restartOne(all: ReadonlyMap<string, Restartable>, target: string): Promise<RollResult> {
  const whole = all.get(target)
  if (whole) return whole.restart()
  const owner = all.get(target.replace(/\.\d+$/, ''))
  if (owner) return owner.restart(target)
  return { ok: false, reason: `there is no ${target}; there are ${[...all.keys()].join(', ')}`, lastLines: [] }
}

async function scale(
  { pools }: Parts,
  app: string | undefined,
  countAfter: (present: number) => number,
): Promise<Outcome> {
  if (pools.size === 0) return withoutWorkers
  const pool = poolToScale(pools, app)
  if (!pool) {
    const names = [...pools.keys()].join(', ')
    return refused(
      app === undefined ? `name the app with --app: ${names}` : `${app} has no workers; there are ${names}`,
    )
  }
  const workers = countAfter(pool.plan().count)
  const { limits } = pool.plan()
  if (limits && (workers < limits.min || workers > limits.max)) {
    const bounds = `${limits.min} to ${limits.max}`
    return refused(`${pool.plan().app} is scaled by load from ${bounds} workers; change its workers and reload`)
  }
  const result = await pool.scale(workers)
  if (!result.ok) return { ok: false, message: 'scaling abandoned, the old workers stay', ...whyOf(result) }
  const of = pools.size > 1 ? ` of ${pool.plan().app}` : ''
  return { ok: true, message: `${workers} worker${workers === 1 ? '' : 's'}${of} now` }
}

function poolToScale(pools: Parts['pools'], app: string | undefined): WorkerPool | undefined {
  if (app !== undefined) return pools.get(app)
  return pools.size === 1 ? [...pools.values()][0] : undefined
}

function whyOf({ reason, lastLines }: Extract<RollResult, { ok: false }>) {
  return { reason, lastLines }
}
