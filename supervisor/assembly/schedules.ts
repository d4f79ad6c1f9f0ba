import type { Parts } from './parts.ts'

/** Plans the restarts of every app that has `restart`, instead of those planned before. */
export async function planRestarts(parts: Parts): Promise<void> {
  for (const cancel of parts.schedules.splice(0)) cancel()
  const planned = parts.settings.apps.flatMap(({ name, config, plan }) =>
    plan && config.restart !== undefined ? [{ name, expression: config.restart }] : [],
  )
  if (planned.length === 0) return
  const { runAt } = await import('../adapters/cron.ts')
  if (parts.isDraining) return
  for (const { name, expression } of planned) {
    const restart = () => void parts.command({ type: 'restart', target: name }, `the schedule ${expression}`)
    parts.schedules.push(runAt(expression, restart))
  }
}
