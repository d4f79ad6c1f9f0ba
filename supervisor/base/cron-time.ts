import { type Cron, nextDate } from './cron-expression.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

/** Offset of local time from UTC at an instant, in ms. Both in ms since the Unix epoch. */
export type OffsetAt = (instant: number) => number

/**
 * First time after `after` at which a cron expression is due, in ms since the Unix epoch. Local time that is skipped runs once, when the
 * clock has been set forward. Local time that comes twice runs the first time only, except what runs every hour or every few minutes.
 */
export function nextCronTime(cron: Cron, after: number, offsetAt: OffsetAt): number {
  // where the clock is set at midnight, the date of yesterday may come again
  let from = startOfDay(after + offsetAt(after)) - dayMs
  for (;;) {
    const date = nextDate(cron, new Date(from))?.getTime()
    if (date === undefined) return Number.POSITIVE_INFINITY
    const next = timesOn(cron, date, offsetAt)
      .filter(time => time > after)
      .sort((one, other) => one - other)[0]
    if (next !== undefined) return next
    from = date + dayMs
  }
}

function startOfDay(local: number): number {
  return Math.floor(local / dayMs) * dayMs
}

/** All instants of a date, which is midnight of that date as if local time were UTC. */
function timesOn(cron: Cron, date: number, offsetAt: OffsetAt): number[] {
  const [before, then] = [offsetAt(date - dayMs), offsetAt(date + 2 * dayMs)]
  return cron.hours.flatMap(hour =>
    cron.minutes.flatMap(minute => {
      const local = date + (hour * 60 + minute) * minuteMs
      if (before === then) return [local - then]
      const times = [local - before, local - then].filter(time => time + offsetAt(time) === local)
      if (times.length === 0) return [firstWith(then, local - dayMs, local + dayMs, offsetAt)]
      return isRepeated(cron, hour) ? times : [Math.min(...times)]
    }),
  )
}

/** Whether an hour that comes twice counts twice: it is one of many, so that a pause of an hour would be wrong. */
function isRepeated({ hours, isEveryMinutes }: Cron, hour: number): boolean {
  return hours.length === 24 || (isEveryMinutes && (hours.includes(hour - 1) || hours.includes(hour + 1)))
}

/** First instant with an offset, between one without it and one with it. */
function firstWith(offset: number, without: number, withIt: number, offsetAt: OffsetAt): number {
  let [low, high] = [without - offset, withIt - offset]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offset) high = middle
    else low = middle
  }
  return high
}
