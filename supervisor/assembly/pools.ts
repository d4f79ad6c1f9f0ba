import { httpProbe } from '../adapters/http-probe.ts'
import { readHungStack } from '../adapters/hung-stack.ts'
import { createSlotSockets } from '../adapters/listeners.ts'
import { memoryOfGroups, portsOfGroup } from '../adapters/procfs.ts'
import { describeExit, exitCodeOf } from '../domain/exit.ts'
import type { Change } from '../services/changes.ts'
import type { WorkerEvent } from '../services/worker.ts'
import type { WorkerPlan } from '../services/worker-plan.ts'
import { type BootResult, createWorkerPool, type WorkerPool } from '../services/worker-pool.ts'
import { keepScale } from './autoscaling.ts'
import { createFailureLimit } from './failure-limit.ts'
import type { Parts } from './parts.ts'
import type { Settings } from './settings.ts'

/** How long the first ready worker waits for the others before nginx is told. */
const siblingsMs = 100

/**
 * Starts the workers of every app, and throws when their sockets cannot be made; settles when each app has a ready one, or
 * as soon as one app has failed.
 */
export function startPools(parts: Parts): Promise<BootResult> {
  for (const { plan } of parts.settings.apps) if (plan) parts.pools.set(plan.app, assemblePool(parts, plan))
  for (const name of unroutedApps(parts.settings))
    parts.log.warn('no route leads to an app', { app: name, fix: `add {path: /${name}, app: ${name}} to routes` })
  const boots = [...parts.pools.values()].map(pool => pool.start())
  const failed = new Promise<BootResult>(resolve => {
    for (const boot of boots) void boot.then(result => !result.ok && resolve(result))
  })
  return Promise.race([failed, Promise.all(boots).then((): BootResult => ({ ok: true }))])
}

/** Waits a moment for the other workers of each app. */
export async function settlePools({ pools }: Parts): Promise<void> {
  await Promise.all([...pools.values()].map(pool => pool.settled(siblingsMs)))
}

/** What brings an app to a plan: its workers are replaced, or, when it is new, started. */
export function changeOf(parts: Parts, plan: WorkerPlan): Change {
  const pool = parts.pools.get(plan.app)
  if (!pool) return additionOf(parts, plan)
  const previous = pool.plan()
  return { apply: () => pool.roll(keepScale(plan, previous.count)), revert: () => pool.roll(previous) }
}

function additionOf(parts: Parts, plan: WorkerPlan): Change {
  const pool = assemblePool(parts, plan)
  async function revert(): Promise<void> {
    await pool.stop(plan.gracefulTimeoutMs)
    parts.pools.delete(plan.app)
  }
  return {
    revert,
    async apply() {
      if (parts.isDraining) return { ok: false, reason: 'monohull is stopping', lastLines: [] }
      parts.pools.set(plan.app, pool)
      const result = await pool.start()
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

/** Stops the workers of apps that the settings no longer have, once nginx was told. */
export async function retireRemoved(parts: Parts): Promise<void> {
  const kept = new Set(parts.settings.apps.flatMap(({ plan }) => plan?.app ?? []))
  for (const [name, pool] of parts.pools) {
    if (kept.has(name)) continue
    await pool.retire()
    parts.pools.delete(name)
    parts.log.info('app removed', { app: name })
  }
}

/** Apps that get no requests. */
export function unroutedApps({ apps, config }: Settings): string[] {
  // dynamic ones may
  if (config.dynamic_routes) return []
  return apps
    .map(({ name }) => name)
    .filter(name => !config.routes.some(({ target }) => target.kind === 'app' && target.name === name))
}

function assemblePool(parts: Parts, plan: WorkerPlan): WorkerPool {
  const { surroundings, rotation, oomWatch, inFlight, settings } = parts
  if (!surroundings || !rotation || !oomWatch || !inFlight) throw new Error('cannot assemble a pool before the start')
  const endsRun = createFailureLimit(parts, () => parts.settings.config.apps[plan.app])
  return createWorkerPool(
    {
      ...surroundings,
      sockets: createSlotSockets({ uid: undefined, gid: settings.nginxUser?.gid }),
      probe: httpProbe,
      runDir: settings.config.run_dir,
      portsOf: portsOfGroup,
      readStack: readHungStack,
      memoryOf: memoryOfGroups,
      oomWatch,
      inFlight,
      onRotation: rotation.changed,
      onWorkerEvent: event => tellHooks(parts, event),
      onDeath: ({ exit }) => parts.isServing && endsRun(exit),
    },
    plan,
  )
}

function tellHooks({ hooks, settings }: Parts, event: WorkerEvent): void {
  const { worker, pid } = event
  if (event.type === 'ready') hooks?.enqueue('worker_ready', settings.hooks, { worker, pid })
  else {
    const facts = { worker, pid, exitCode: exitCodeOf(event.exit), reason: event.reason }
    hooks?.enqueue('worker_exit', settings.hooks, facts)
  }
}
