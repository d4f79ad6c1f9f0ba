import type { OffsetAt } from '../../../../supervisor/base/cron-time.ts'

/** Minute, hour, day of the month, month, day of the week: numbers, lists of them, `*` and steps of it. */
export type Fields = [minute: string, hour: string, monthDay: string, month: string, weekday: string]

const minuteMs = 60_000
const dayMs = 86_400_000

export interface Reference {
  /** Instants at which the clock is set in a time zone. */
  changes: number[]
  /** Due times after `start` and before `end`, as ISO 8601. */
  timesIn(fields: Fields, start: number, end: number): string[]
}

/**
 * Due times by a walk from minute to minute: what runs every hour, or every few minutes, follows the clock; of the rest, what is skipped
 * runs right after the gap, and what comes twice runs the first time.
 */
export function createReference(offsetAt: OffsetAt, from: number, until: number): Reference {
  const changes: number[] = []
  for (let day = from; day < until; day += dayMs) {
    if (offsetAt(day) === offsetAt(day + dayMs)) continue
    let instant = day
    while (offsetAt(instant) === offsetAt(day)) instant += minuteMs
    changes.push(instant)
  }

  function timesIn(fields: Fields, start: number, end: number): string[] {
    const isDue = matcher(fields)
    const found = new Set<number>()
    const first = Math.floor(start / minuteMs) * minuteMs + minuteMs
    const marks = [...changes.filter(change => change > first && change < end), end]
    let at = first
    for (const mark of marks) {
      const offset = offsetAt(at)
      for (; at < mark; at += minuteMs) if (isDue(at + offset) && !isSecond(fields, at, offset)) found.add(at)
      if (mark === end) break
      // the local time between is skipped
      for (let local = at + offset; local < at + offsetAt(at); local += minuteMs)
        if (isDue(local) && !isFollowing(fields, local)) found.add(at)
    }
    return [...found]
      .filter(time => time > start)
      .sort((a, b) => a - b)
      .map(time => new Date(time).toISOString())
  }

  /** Whether a local time comes for the second time, for what runs once. */
  function isSecond(fields: Fields, at: number, offset: number): boolean {
    const change = changes.findLast(instant => instant <= at)
    if (change === undefined || isFollowing(fields, at + offset)) return false
    const before = offsetAt(change - 1)
    return before > offset && at - change < before - offset
  }

  return { changes, timesIn }
}

/** Whether the clock is followed as it is: the schedule is about intervals, not about times of day. */
function isFollowing([minute, hour]: Fields, local: number): boolean {
  const now = new Date(local).getUTCHours()
  if (hour === '*') return true
  return (
    minute.startsWith('*') && [now - 1, now + 1].some(other => other >= 0 && other <= 23 && matches(hour, other, 0))
  )
}

function matches(field: string, value: number, low: number): boolean {
  return field.split(',').some(part => {
    if (part === '*') return true
    if (part.startsWith('*/')) return (value - low) % Number(part.slice(2)) === 0
    return Number(part) === value
  })
}

function matcher([minute, hour, monthDay, month, weekday]: Fields): (local: number) => boolean {
  const minutes = Array.from({ length: 60 }, (_, value) => matches(minute, value, 0))
  const hours = Array.from({ length: 24 }, (_, value) => matches(hour, value, 0))
  let known = { day: Number.NaN, isDue: false }
  return local => {
    const dayNumber = Math.floor(local / dayMs)
    if (dayNumber !== known.day) known = { day: dayNumber, isDue: isDate(local) }
    const ofDay = (local - dayNumber * dayMs) / minuteMs
    return known.isDue && hours[Math.floor(ofDay / 60)] === true && minutes[ofDay % 60] === true
  }

  function isDate(local: number): boolean {
    const date = new Date(local)
    const day = date.getUTCDay()
    const isMonthDay = matches(monthDay, date.getUTCDate(), 1)
    const isWeekday = matches(weekday, day, 0) || (day === 0 && matches(weekday, 7, 0))
    const isEither = !monthDay.startsWith('*') && !weekday.startsWith('*')
    return matches(month, date.getUTCMonth() + 1, 1) && (isEither ? isMonthDay || isWeekday : isMonthDay && isWeekday)
  }
}
