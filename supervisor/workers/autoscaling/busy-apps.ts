import { join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import type { AppSettings } from '../adapters/app-settings.ts'
import type { BusyCounter } from './busy-counter.ts'

/** Settings that say whether nginx has to count how busy workers are. */
export interface BusySettings {
  apps: readonly Pick<AppSettings, 'plan'>[]
  config: { run_dir: string }
}

export const busySocketName = 'busy.sock'

/** Whether nginx has to count how busy workers are: an app is scaled by load, and is no Node program that tells it. */
export function needsBusyCounter(settings: BusySettings): boolean {
  return timedApps(settings).length > 0
}

/** What nginx is to count; an OperatorError when it is needed and nginx has no Lua. */
export function busyCounterOf(
  settings: BusySettings,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): BusyCounter | undefined {
  const apps = timedApps(settings)
  if (apps.length === 0) return undefined
  if (luaModules) return { socket: join(settings.config.run_dir, busySocketName), apps }
  throw new OperatorError(
    `cannot scale ${apps.join(', ')} by load: it is no Node program, and this nginx has no Lua to measure it with`,
    { fix: 'apt-get install libnginx-mod-http-lua, or set workers to a number' },
  )
}

function timedApps({ apps }: BusySettings): string[] {
  return apps.flatMap(({ plan }) => (plan?.limits && plan.loadFrom === 'nginx' ? [plan.app] : []))
}
