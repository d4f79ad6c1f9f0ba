import { parseCron } from '../cron-expression.ts'
import { nextCronTime } from '../cron-time.ts'
import { findTimeZone, offsetIn } from './time-zone.ts'

/** Longest time between two checks of the clock, which may be set or be suspended with the machine. */
const maxWaitMs = 30_000
/** Runs that are later than this are skipped. */
const maxDelayMs = 60_000

/**
 * Runs `task` at the times of a cron expression, in the local time zone (TZ). Returns a function that cancels it. Times that passed
 * while the clock was set forward are skipped, and it does not wait for the old times if the clock is set back.
 */
export function runAt(expression: string, task: () => void): () => void {
  const parsed = parseCron(expression)
  if (!parsed.ok) throw new Error(`cannot plan ${expression}: ${parsed.problem}`)
  const offsetAt = offsetIn(findTimeZone(undefined) ?? 'UTC')
  const nextTime = () => nextCronTime(parsed.cron, Date.now(), offsetAt)
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

  return () => clearTimeout(timer)
}

/** Runs `task` at an interval in ms. Returns a function that cancels it. */
export function runEvery(intervalMs: number, task: () => void): () => void {
  const timer = setInterval(task, intervalMs)
  return () => clearInterval(timer)
}
