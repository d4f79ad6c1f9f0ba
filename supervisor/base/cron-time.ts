import { type Cron, nextDate } from './cron-expression.ts'

const secondMs = 1000
const minuteMs = 60_000
const dayMs = 86_400_000

/** Offset of local time from UTC at an instant, in ms. Both in ms since the Unix epoch. */
export type OffsetAt = (instant: number) => number

/**
 * First time after `after` at which a cron expression is due, in ms since the Unix epoch. Local time that is skipped runs once, when the
 * clock has been set forward; local time that comes twice runs the first time only. What runs every hour or every few minutes follows the
 * clock instead.
 */
export function nextCronTime(cron: Cron, after: number, offsetAt: OffsetAt): number {
  // where the clock is set at midnight, the date of yesterday may come again
  let from = startOfDay(after + offsetAt(after)) - dayMs
  for (;;) {
    const date = nextDate(cron, new Date(from))?.getTime()
    if (date === undefined) return Number.POSITIVE_INFINITY
    const next = firstOn(cron, date, { after, offsetAt })
    if (next !== undefined) return next
    from = date + dayMs
  }
}

function startOfDay(local: number): number {
  return Math.floor(local / dayMs) * dayMs
}

/** First instant after `after` on a date, which is midnight of that date as if local time were UTC. */
function firstOn(
  cron: Cron,
  date: number,
  { after, offsetAt }: { after: number; offsetAt: OffsetAt },
): number | undefined {
  const [before, then] = [offsetAt(date - dayMs), offsetAt(date + 2 * dayMs)]
  if (date + dayMs - Math.min(before, then) <= after) return undefined
  const change = before === then ? undefined : firstWith(then, date, offsetAt)
  let first: number | undefined
  for (const hour of cron.hours)
    for (const minute of cron.minutes) {
      const begin = date + (hour * 60 + minute) * minuteMs
      if (begin + minuteMs - Math.min(before, then) <= after) continue
      if (first !== undefined && begin - Math.max(before, then) > first) return first
      for (const second of cron.seconds) {
        const local = begin + second * secondMs
        const times =
          change === undefined
            ? [local - then]
            : instantsOf(local, { before, then, change, isMany: isOneOfMany(cron, hour) })
        for (const time of times) if (time > after && time < (first ?? Number.POSITIVE_INFINITY)) first = time
        if (first !== undefined && change === undefined) return first
      }
    }
  return first
}

/** Instants of a local time around a change of the clock, from an offset to another. `isMany`: see `isOneOfMany`. */
function instantsOf(
  local: number,
  { before, then, change, isMany }: { before: number; then: number; change: number; isMany: boolean },
): number[] {
  const times = [local - before].filter(time => time < change)
  if (local - then >= change && (isMany || times.length === 0)) times.push(local - then)
  return times.length === 0 && !isMany ? [change] : times
}

/** Whether a run in an hour is one of many, so that none is missing if the hour is skipped, and a pause of an hour would be wrong if it comes twice. */
function isOneOfMany({ hours, isEveryMinutes }: Cron, hour: number): boolean {
  return hours.length === 24 || (isEveryMinutes && (hours.includes(hour - 1) || hours.includes(hour + 1)))
}

/** First instant with an offset, of the days around a date on which it begins. */
function firstWith(offset: number, date: number, offsetAt: OffsetAt): number {
  let [low, high] = [date - dayMs, date + 2 * dayMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offset) high = middle
    else low = middle
  }
  return high
}
