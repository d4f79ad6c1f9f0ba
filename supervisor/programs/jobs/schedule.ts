import { parseCron } from '../../base/cron-expression.ts'
import { nextCronTime, type OffsetAt } from '../../base/cron-time.ts'
import type { JobPlan } from './plan.ts'

/** Most missed runs that are counted. */
const mostMissed = 100

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** Periods in which the last due time is looked for, from the end on. */
const periodsMs = [minuteMs, hourMs, 24 * hourMs, 32 * 24 * hourMs, Number.POSITIVE_INFINITY]

/** Due times of a job, in ms since the Unix epoch. */
export interface Schedule {
  /** First due time after an instant; infinity if there is none. */
  next(after: number): number
}

/** Due times in a period. */
export interface DueTimes {
  /** Their number, at most `mostMissed`. */
  count: number
  last: number
}

/** Schedule of a job. `offsetIn` gives the offsets of a time zone. */
export function createSchedule(
  { schedule, timezone }: Pick<JobPlan, 'schedule' | 'timezone'>,
  offsetIn: (timeZone: string) => OffsetAt,
): Schedule {
  const parsed = parseCron(schedule, 'five or six')
  if (!parsed.ok) throw new Error(`cannot plan ${schedule}: ${parsed.problem}`)
  return { next: after => nextCronTime(parsed.cron, after, offsetIn(timezone)) }
}

/** Due times after `from` and up to `to`; undefined if there is none. */
export function dueTimesIn({ next }: Schedule, from: number, to: number): DueTimes | undefined {
  let count = 0
  let time = next(from)
  if (time > to) return undefined
  for (; time <= to && count < mostMissed; time = next(time)) count++
  return { count, last: lastBefore({ next }, from, to) }
}

/** Last due time in a period that has one. */
function lastBefore({ next }: Schedule, from: number, to: number): number {
  const first = periodsMs.map(periodMs => next(Math.max(from, to - periodMs))).find(time => time <= to) ?? to
  for (let last = first; ; ) {
    const following = next(last)
    if (following > to) return last
    last = following
  }
}
