import { join } from 'node:path'
import { createSlotSockets } from '../adapters/listeners.ts'
import { systemClock } from '../base/clock.ts'
import type { NginxFeatures } from '../domain/nginx-model.ts'
import { runAutoscaler } from '../services/autoscaler.ts'
import { createBusyTime } from '../services/busy-time.ts'
import type { WorkerPlan } from '../services/worker-plan.ts'
import { busySocketName, busyTimeOf } from './busy-time.ts'
import type { Parts } from './parts.ts'

/** Binds the socket at which nginx tells; nginx inherits it as it does the ports, so a master that is killed leaves none behind. */
export function bindBusySocket(parts: Parts, features: NginxFeatures): void {
  const busyTime = busyTimeOf(parts.settings, features)
  if (!busyTime) return
  parts.busySocket = createSlotSockets({ uid: undefined, gid: parts.settings.nginxUser?.gid }).bind(busyTime.socket)
}

/** Begins to look at the load of every app that is to be scaled by it, when that has not begun yet. */
export function autoscale(parts: Parts): void {
  for (const [app, pool] of parts.pools) {
    if (!pool.plan().limits || parts.scaled.has(app)) continue
    parts.scaled.add(app)
    autoscaleApp(parts, app)
  }
}

/** A reload may take the app away and bring it back: it is looked up each time. */
function autoscaleApp(parts: Parts, app: string): void {
  const plan = () => parts.pools.get(app)?.plan()
  const workers = () => plan()?.count ?? 0
  const busyTime = createBusyTime({
    clock: systemClock,
    app,
    workers,
    read: async () => {
      const { getText } = await import('../adapters/unix-get.ts')
      return getText(join(parts.settings.config.run_dir, busySocketName), '/')
    },
  })
  runAutoscaler({
    clock: systemClock,
    limits: () => plan()?.limits,
    workers,
    load: async () => (plan()?.loadFrom === 'worker' ? parts.pools.get(app)?.load() : busyTime.load()),
    scale: count => parts.command({ type: 'scale', workers: count, app }, 'autoscaling'),
  })
}

/** A reload keeps the number that the load asked for, within the new limits. */
export function keepScale(next: WorkerPlan, count: number): WorkerPlan {
  const { limits } = next
  return limits ? { ...next, count: Math.min(limits.max, Math.max(limits.min, count)) } : next
}
