import type { Command, Outcome } from '../domain/command.ts'
import type { Settings } from './settings.ts'
import type { Subject } from './subject.ts'

/** The one way in for commands; `from` says who asks. */
export type SendCommand = (command: Command, from: string) => Promise<Outcome>

/** Planned restarts. They do nothing before they begin. */
interface Planned {
  begin(): void
  cancel(): void
}

/** The planned restarts of every app that has `restart`. */
export async function openSchedules(settings: Settings, send: SendCommand): Promise<Subject> {
  let planned = await plan(settings, send)
  let isStopping = false
  planned.begin()

  return {
    name: 'schedules',
    async prepare(next) {
      const prepared = await plan(next, send)
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

async function plan({ apps }: Settings, send: SendCommand): Promise<Planned> {
  const due = apps.flatMap(({ name, plan, config }) =>
    plan && config.restart !== undefined ? [{ name, expression: config.restart }] : [],
  )
  if (due.length === 0) return { begin() {}, cancel() {} }
  const { runAt } = await import('../adapters/cron.ts')
  let hasBegun = false
  const cancels: (() => void)[] = []
  const cancel = () => {
    for (const each of cancels) each()
  }
  try {
    for (const { name, expression } of due) {
      const restart = () => hasBegun && void send({ type: 'restart', target: name }, `the schedule ${expression}`)
      cancels.push(runAt(expression, restart))
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
