import { join } from 'node:path'
import type { Change } from '../../base/change.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import { createSlotSockets } from '../../processes/adapters/listeners.ts'
import type { BoundSocket } from '../../processes/sockets.ts'
import type { WorkerPlan } from '../plan.ts'
import type { WorkerPool } from '../pool.ts'
import { runAutoscaler } from './autoscaler.ts'
import { type BusySettings, busyCounterOf, busySocketName, needsBusyCounter } from './busy-apps.ts'
import { readQuietMs } from './busy-counter.ts'
import { createBusyTime } from './busy-time.ts'
import { runSleeper } from './sleeper.ts'

/** Dependencies of autoscaling. */
export interface AutoscalingDeps {
  clock: Clock
  log: Log
  /** Pools by app. A reload may remove an app and add it again, so its pool is looked up each time. */
  pools: ReadonlyMap<string, WorkerPool>
  /** Changes the number of workers, through the command queue. */
  scale(app: string, workers: number): Promise<Outcome>
  /** Number of open connections to the workers of an app; undefined if the kernel does not list them. */
  connectionsOf(app: string): number | undefined
}

/** Settings that autoscaling depends on. */
export interface AutoscalingSettings extends BusySettings {
  nginxUser: { gid: number } | undefined
}

/** Autoscaling of the apps of a run. */
export interface Autoscaling {
  readonly name: string
  /** Socket on which nginx reports how busy workers are. nginx inherits it, as it does the ports. Undefined if not needed. */
  readonly socket: BoundSocket | undefined
  /** Starts the autoscaler of every app that is scaled by load and has none yet, and lets the time without use begin again for those that sleep. */
  begin(): void
  fixed(next: AutoscalingSettings): string | undefined
  prepare(): Promise<Change>
  quiesce(): void
  close(): void
}

/**
 * Autoscaling of a run, not begun yet. Binds the socket on which nginx reports how busy workers are, if an app needs it.
 * nginx inherits the socket, so a killed master leaves no stale one.
 */
export function openAutoscaling(
  deps: AutoscalingDeps,
  settings: AutoscalingSettings,
  features: NginxFeatures,
): Autoscaling {
  const { clock, pools } = deps
  /** What nginx counts; undefined if it is unavailable. */
  const read = async () => {
    const { getText } = await import('../../base/adapters/unix-http.ts')
    return getText(join(settings.config.run_dir, busySocketName), '/')
  }
  const socket = bindBusySocket(settings, features)
  const scaled = new Map<string, () => void>()
  let sleepers: (() => void)[] = []

  function begin(): void {
    for (const [app, pool] of pools) if (pool.plan().limits && !scaled.has(app)) scaled.set(app, scaleApp(app))
    endSleepers()
    sleepers = [...pools].flatMap(([app, pool]) => (pool.plan().idleMs === undefined ? [] : [letSleep(app)]))
  }

  function endSleepers(): void {
    for (const end of sleepers) end()
  }

  function letSleep(app: string): () => void {
    return runSleeper({
      ...deps,
      app,
      pool: () => pools.get(app),
      async use() {
        const text = await read()
        const connections = deps.connectionsOf(app)
        if (text === undefined || connections === undefined) return undefined
        return { quietMs: readQuietMs(text, app), connections }
      },
    })
  }

  function scaleApp(app: string): () => void {
    const plan = () => pools.get(app)?.plan()
    const workers = () => plan()?.count ?? 0
    const busyTime = createBusyTime({ clock, app, workers, read })
    return runAutoscaler({
      clock,
      limits: () => plan()?.limits,
      workers,
      async load() {
        if (pools.get(app)?.isAsleep()) return undefined
        return plan()?.loadFrom === 'worker' ? pools.get(app)?.load() : busyTime.load()
      },
      scale: count => deps.scale(app, count),
    })
  }

  return {
    name: 'autoscaling',
    socket,
    begin,
    fixed: next =>
      socket === undefined && needsBusyCounter(next)
        ? 'workers cannot change to {min, max} without a restart for an app that is not a Node program, nor to min: 0'
        : undefined,
    prepare: async () => ({ commit: begin }),
    quiesce() {
      for (const end of scaled.values()) end()
      endSleepers()
    },
    close: () => socket?.close(),
  }
}

function bindBusySocket(settings: AutoscalingSettings, features: NginxFeatures): BoundSocket | undefined {
  const counter = busyCounterOf(settings, features)
  return counter && createSlotSockets({ uid: undefined, gid: settings.nginxUser?.gid }).bind(counter.socket)
}

/** Plan of a reload, with the present number of workers `count` within the new limits. */
export function keepScale(next: WorkerPlan, count: number): WorkerPlan {
  const { limits } = next
  return limits ? { ...next, count: Math.min(limits.max, Math.max(limits.min, count)) } : next
}
