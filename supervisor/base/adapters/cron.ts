import { createTask } from 'node-cron'
import { parseCron } from '../cron-expression.ts'
import { nextCronTime } from '../cron-time.ts'
import { findTimeZone, offsetIn } from './time-zone.ts'

/** Longest time between two checks of the clock, which may be set or be suspended with the machine. */
const maxWaitMs = 30_000
/** Runs that are later than this are skipped. */
const maxDelayMs = 60_000

/**
 * Runs `task` at the times of a user's cron expression, in the local time zone (TZ). Returns a function that cancels it. The times are
 * crontab(5)'s, which node-cron's are not: it wants both days to match, and leaves out what daylight saving skips.
 */
export function runAt(expression: string, task: () => void): () => void {
  const parsed = parseCron(expression)
  if (!parsed.ok) throw new Error(`cannot plan ${expression}: ${parsed.problem}`)
  const offsetAt = offsetIn(findTimeZone(undefined) ?? 'UTC')
  return runAtEach(() => nextCronTime(parsed.cron, Date.now(), offsetAt), task)
}

/** Runs `task` at the times of an expression of ours, in UTC; its first of six fields is the second. Returns a function that cancels it. */
export function runOften(expression: string, task: () => void): () => void {
  const times = createTask(expression, () => {}, { timezone: 'UTC' })
  const cancel = runAtEach(() => times.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY, task)
  return () => {
    cancel()
    void times.destroy()
  }
}

/**
 * Times that passed while the clock was set forward are skipped, and it does not wait for the old times if the clock is set back.
 * node-cron's own timer does neither.
 */
function runAtEach(nextTime: () => number, task: () => void): () => void {
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
