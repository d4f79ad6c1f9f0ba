import type { Change } from '../base/change.ts'
import type { AppSettings } from './adapters/app-settings.ts'

/** Restarts the workers of an app; `reason` is the origin for the log. */
export type RestartApp = (app: string, reason: string) => Promise<unknown>

/** Settings that the schedules depend on. */
export interface SchedulesSettings {
  apps: readonly Pick<AppSettings, 'name' | 'plan' | 'config'>[]
}

/** Scheduled restarts of a run. */
export interface Schedules {
  readonly name: string
  prepare(next: SchedulesSettings): Promise<Change>
  quiesce(): void
}

/** Planned restarts, inactive until `begin`. */
interface Planned {
  begin(): void
  cancel(): void
}

/** Opens the scheduled restarts of all apps with the key `restart`, and begins them. */
export async function openSchedules(settings: SchedulesSettings, restart: RestartApp): Promise<Schedules> {
  let planned = await plan(settings, restart)
  let isStopping = false
  planned.begin()

  return {
    name: 'schedules',
    async prepare(next) {
      const prepared = await plan(next, restart)
      return {
        revert: prepared.cancel,
        commit() {
          planned.cancel()
          planned = prepared
          if (isStopping) planned.cancel()
          else planned.begin()
        },
      }
    },
    quiesce() {
      isStopping = true
      planned.cancel()
    },
  }
}

async function plan({ apps }: SchedulesSettings, restart: RestartApp): Promise<Planned> {
  const due = apps.flatMap(({ name, plan, config }) =>
    plan && config.restart !== undefined ? [{ name, expression: config.restart }] : [],
  )
  if (due.length === 0) return { begin() {}, cancel() {} }
  const { runAt } = await import('../base/adapters/cron.ts')
  let hasBegun = false
  const cancels: (() => void)[] = []
  const cancel = () => {
    for (const each of cancels) each()
  }
  try {
    for (const { name, expression } of due) {
      cancels.push(runAt(expression, () => hasBegun && void restart(name, `the schedule ${expression}`)))
    }
  } catch (error) {
    cancel()
    throw error
  }
  return {
    cancel,
    begin() {
      hasBegun = true
    },
  }
}
