import { applyAll } from '../base/change.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { byNearness } from '../base/nearest.ts'
import type { Outcome } from '../base/outcome.ts'
import type { RollResult } from '../base/roll-result.ts'
import type { ServedCertificates } from '../certificates/served.ts'
import type { OpenDynamicRoutes } from '../dynamic-routes/open.ts'
import { type Front, reachableHost } from '../front/front.ts'
import type { OpenOutputs } from '../logs/open-outputs.ts'
import { inStartOrder, type StartOrder } from '../processes/start-order.ts'
import type { ProcessPool } from '../programs/process-pool.ts'
import type { Processes } from '../programs/processes.ts'
import { appAtRoot } from '../site/settings.ts'
import { restartApp } from '../workers/app-change.ts'
import type { Apps } from '../workers/apps.ts'
import type { WorkerPool } from '../workers/pool.ts'
import { collectGarbage } from './adapters/heap.ts'
import type { Command } from './command.ts'
import type { ReloadDeps } from './reload.ts'
import type { RunningNginx } from './running-nginx.ts'

/** Dependencies of commands. */
export interface CommandDeps extends ReloadDeps {
  clock: Clock
  log: Log
  nginx: RunningNginx
  outputs: Pick<OpenOutputs, 'reopen'>
  front: Front
  apps: Apps
  processes: Processes
  order: StartOrder
  certificates: ServedCertificates
  dynamicRoutes: OpenDynamicRoutes | undefined
}

/** Runs a command other than a stop. Loads the code that startup does not need. */
export async function runCommand(deps: CommandDeps, command: Command): Promise<Outcome> {
  const { run, nginx } = deps
  switch (command.type) {
    case 'reload': {
      const outcome = await (await import('./reload.ts')).reload(deps, command)
      run.reloaded(outcome)
      return outcome
    }
    case 'restart': {
      const outcome = await restart(deps, command.target)
      run.rolled(outcome)
      return outcome
    }
    case 'scale':
      return scale(deps, command.app, () => command.workers)
    case 'scaleBy':
      return scale(deps, appAtRoot(run.settings().config), present => Math.max(1, present + command.change))
    case 'purgeCache':
      return (await import('../front/cache/purge.ts')).purgeCache(run.settings(), command.prefix)
    case 'setRoute':
    case 'removeRoute':
    case 'importRoutes': {
      const outcome = await (await import('../dynamic-routes/open.ts')).changeRoute(deps.dynamicRoutes, command)
      // an import of 100,000 routes would leave half a gigabyte
      if (command.type === 'importRoutes') collectGarbage()
      return outcome
    }
    case 'refreshCertificates':
      return (await import('../certificates/refresh.ts')).refreshCertificates({
        ...deps,
        settings: run.settings,
        publicAt: publicAt(deps.front),
        apply: change => nginx.take({ settings: run.settings(), changes: new Map([[deps.certificates, change]]) }),
      })
    case 'reopenLogs':
      deps.outputs.reopen()
      nginx.reopenLogs()
      return { ok: true, message: 'log files reopened' }
    case 'stop':
    case 'quickStop':
      throw new Error(`cannot run ${command.type} as a command of the queue`)
  }
}

function publicAt({ https: [socket] }: Front): { host: string; port: number } | undefined {
  return socket && { host: reachableHost(socket.address), port: socket.port }
}

function rejected(reason: string): Outcome {
  return { ok: false, message: 'command rejected', reason }
}

const withoutWorkers = rejected('there are no workers: all routes lead to static files, upstreams or fixed responses')

async function restart(
  { apps, processes, order }: Pick<CommandDeps, 'apps' | 'processes' | 'order'>,
  target: string | undefined,
): Promise<Outcome> {
  const all = new Map<string, Restartable>([...apps.pools, ...processes.pools])
  if (all.size === 0) return withoutWorkers
  const waits = target === undefined ? undefined : describeWait(order, target.replace(/\.\d+$/, ''))
  if (waits !== undefined) return rejected(waits)
  const isStarted = ([name]: readonly [string, unknown]) => order.waitsFor(name) === undefined
  const result =
    target === undefined
      ? await restartAll([...apps.pools].filter(isStarted), [...processes.pools].filter(isStarted))
      : await restartOne(all, target)
  if (result.ok) return { ok: true, message: target === undefined ? 'workers replaced' : `${target} replaced` }
  if (result.isUnknown) return { ok: false, message: 'restart failed', ...whyOf(result) }
  const isProcess = target !== undefined && processes.pools.has(target.replace(/\.\d+$/, ''))
  const isServed = [...apps.pools.values()].some(pool => pool.rotation().length > 0)
  const what = isProcess
    ? 'restart failed and will be retried with backoff'
    : isServed
      ? rollAbandoned
      : 'restart failed, and no worker is serving'
  return { ok: false, message: what, ...whyOf(result) }
}

const rollAbandoned = 'rolling restart abandoned, the old workers keep serving'

interface Restartable {
  /** Replaces one worker by its name, or all. */
  restart(name?: string): Promise<RollResult>
  status(): readonly { name: string }[]
}

/** Reason why a program has not started yet; undefined if it has. */
function describeWait(order: StartOrder, name: string): string | undefined {
  const missing = order.waitsFor(name)
  return missing && `${name} starts when ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} ready`
}

/** Tries the new workers of all apps before it replaces any, then restarts the processes in the order of `after`. */
async function restartAll(
  apps: readonly (readonly [string, WorkerPool])[],
  processes: readonly (readonly [string, ProcessPool])[],
): Promise<RollResult> {
  const restarted = await applyAll(apps.map(([, pool]) => restartApp(pool)))
  if (!restarted.ok) return restarted
  for (const { pool } of inStartOrder(processes.map(([name, pool]) => ({ name, pool, after: pool.plan().after })))) {
    const result = await pool.restart()
    if (!result.ok) return result
  }
  return { ok: true }
}

/** Names that a message offers. */
const mostOffered = 10

/** Restarts all workers of an app (`api`), or one worker (`api.2`). */
async function restartOne(all: ReadonlyMap<string, Restartable>, target: string): Promise<RollResult> {
  const whole = all.get(target)
  if (whole) return whole.restart()
  const owner = all.get(target.replace(/\.\d+$/, ''))
  if (owner) return owner.restart(target)
  const known = [...all].flatMap(([name, pool]) => [name, ...pool.status().map(one => one.name)])
  const [offered, others] = [byNearness(target, known).slice(0, mostOffered), Math.max(0, known.length - mostOffered)]
  const more = others > 0 ? ` (${others} more: monohull status)` : ''
  return {
    ok: false,
    reason: `${target} does not exist; choose from ${offered.join(', ')}${more}, or leave it out for all`,
    lastLines: [],
    isUnknown: true,
  }
}

async function scale(
  { apps: { pools }, order }: Pick<CommandDeps, 'apps' | 'order'>,
  app: string | undefined,
  countAfter: (present: number) => number,
): Promise<Outcome> {
  if (pools.size === 0) return withoutWorkers
  const pool = poolToScale(pools, app)
  if (!pool) {
    const names = [...pools.keys()].join(', ')
    return rejected(
      app === undefined ? `choose an app with --app: ${names}` : `${app} has no workers; choose from ${names}`,
    )
  }
  const waits = describeWait(order, pool.plan().app)
  if (waits !== undefined) return rejected(waits)
  const workers = countAfter(pool.plan().count)
  const { limits } = pool.plan()
  if (limits && (workers < limits.min || workers > limits.max)) {
    const bounds = `${limits.min} to ${limits.max}`
    return rejected(`${pool.plan().app} scales by load from ${bounds} workers; change its key workers and reload`)
  }
  const result = await pool.scale(workers)
  if (!result.ok) return { ok: false, message: 'scaling abandoned, the old workers keep serving', ...whyOf(result) }
  const of = pools.size > 1 ? ` of ${pool.plan().app}` : ''
  return { ok: true, message: `scaled to ${workers} worker${workers === 1 ? '' : 's'}${of}` }
}

function poolToScale(pools: Apps['pools'], app: string | undefined): WorkerPool | undefined {
  if (app !== undefined) return pools.get(app)
  return pools.size === 1 ? [...pools.values()][0] : undefined
}

function whyOf({ reason, lastLines, isUnknown }: Extract<RollResult, { ok: false }>) {
  return { reason, lastLines, ...(isUnknown ? { isUnknown } : {}) }
}
