import { schedule } from 'node-cron'

/** Runs `task` at the times of a cron expression, in the local time zone (TZ). Returns what ends it. */
export function runAt(expression: string, task: () => void): () => void {
  const timer = schedule(expression, task, { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone })
  return () => void timer.destroy()
}
