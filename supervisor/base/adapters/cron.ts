import { createTask } from 'node-cron'
import { findTimeZone } from './time-zone.ts'

/** Longest time between two checks of the clock, which may be set or be suspended with the machine. */
const maxWaitMs = 30_000
/** Runs that are later than this are skipped. */
const maxDelayMs = 60_000

/**
 * Runs `task` at the times of a cron expression, in the local time zone (TZ). Returns a function that cancels it. node-cron only computes
 * the times: its own timer runs every missed time if the clock is set forward, and waits for the old times if it is set back.
 */
export function runAt(expression: string, task: () => void): () => void {
  const times = createTask(expression, () => {}, { timezone: findTimeZone(undefined) ?? 'UTC' })
  const nextTime = () => times.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY
  let planned = Date.now()
  let next = nextTime()
  let timer = wait()

  function wait(): NodeJS.Timeout {
    return setTimeout(check, Math.min(Math.max(next - Date.now(), 0), maxWaitMs))
  }

  function check(): void {
    const now = Date.now()
    const isDue = now >= next && now - next <= maxDelayMs
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
