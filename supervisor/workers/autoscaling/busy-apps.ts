import { join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import type { AppSettings } from '../adapters/app-settings.ts'
import type { BusyCounter } from './busy-counter.ts'

/** Settings that the busy counter depends on. */
export interface BusySettings {
  apps: readonly Pick<AppSettings, 'plan'>[]
  config: { run_dir: string }
}

/** File name of the counter's socket in `run_dir`. */
export const busySocketName = 'busy.sock'

/** Whether nginx must measure busy time: an app sleeps, or is scaled by load and is not a Node program, which reports its own load. */
export function needsBusyCounter(settings: BusySettings): boolean {
  return timedApps(settings).length > 0
}

/** Busy counter for the apps that need one; undefined if none does. Throws an OperatorError if nginx has no Lua. */
export function busyCounterOf(
  settings: BusySettings,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): BusyCounter | undefined {
  const apps = timedApps(settings)
  if (apps.length === 0) return undefined
  const sleepers = settings.apps.flatMap(({ plan }) => (plan && plan.idleMs !== undefined ? [plan.app] : []))
  if (luaModules) return { socket: join(settings.config.run_dir, busySocketName), apps, sleepers }
  if (sleepers.length > 0)
    throw new OperatorError(
      `cannot let ${sleepers.join(', ')} sleep: this nginx has no Lua to note when they are used`,
      {
        fix: 'apt-get install libnginx-mod-http-lua, or set workers.min: 1',
      },
    )
  throw new OperatorError(
    `cannot scale ${apps.join(', ')} by load: it is not a Node program, and this nginx has no Lua to measure its load`,
    { fix: 'apt-get install libnginx-mod-http-lua, or set workers to a number' },
  )
}

function timedApps({ apps }: BusySettings): string[] {
  return apps.flatMap(({ plan }) =>
    plan && (plan.idleMs !== undefined || (plan.limits && plan.loadFrom === 'nginx')) ? [plan.app] : [],
  )
}
