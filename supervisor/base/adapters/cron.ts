import { createTask } from 'node-cron'
import { findTimeZone } from './time-zone.ts'

/** Between two looks at the clock, which may be set forward or back, or stand still with the machine. */
const longestWaitMs = 30_000
/** A time that was missed by more is over. */
const latestMs = 60_000

/**
 * Runs `task` at the times of a cron expression, in the local time zone (TZ). Returns what ends it. node-cron tells the times only: its own
 * timer goes through every time that was missed when the clock is set forward, and waits for the old ones when it is set back.
 */
export function runAt(expression: string, task: () => void): () => void {
  const times = createTask(expression, () => {}, { timezone: findTimeZone(undefined) ?? 'UTC' })
  const nextTime = () => times.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY
  let planned = Date.now()
  let next = nextTime()
  let timer = wait()

  function wait(): NodeJS.Timeout {
    return setTimeout(look, Math.min(Math.max(next - Date.now(), 0), longestWaitMs))
  }

  function look(): void {
    const now = Date.now()
    const isDue = now >= next && now - next <= latestMs
    if (now >= next || now < planned) next = nextTime()
    planned = now
    timer = wait()
    if (isDue) task()
  }

  return () => {
    clearTimeout(timer)
    void times.destroy()
  }
}
