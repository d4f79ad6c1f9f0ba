const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const second = { name: 'second', from: 0, to: 59, names: [] }
const fields = [
  { name: 'minute', from: 0, to: 59, names: [] },
  { name: 'hour', from: 0, to: 23, names: [] },
  { name: 'day of the month', from: 1, to: 31, names: [] },
  { name: 'month', from: 1, to: 12, names: months },
  { name: 'day of the week', from: 0, to: 7, names: days },
]

/** Short forms of crontab(5). */
const macros: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

const dayMs = 86_400_000
/** Days after which the Gregorian calendar repeats, with its days of the week. */
const calendarDays = 146_097

/** Number of fields: five, or also six, of which the first is the second. */
export type CronFields = 'five' | 'five or six'

/** Cron expression. A day of the week is from 0, Sunday, to 6. */
export interface Cron {
  /** Only 0 if there are five fields. */
  seconds: readonly number[]
  minutes: readonly number[]
  hours: readonly number[]
  /** Whether the minutes are `*` or a step of it, so that it runs again and again rather than at a time. */
  isEveryMinutes: boolean
  /** Whether it runs on a date. `date` is midnight UTC of that date. */
  matchesDate(date: Date): boolean
}

/** Expression as a value, or its problem. */
export type ParsedCron = { ok: true; cron: Cron } | { ok: false; problem: string }

/** Parsed cron expression (crontab(5): numbers, names, lists, ranges, steps), or one of its short forms such as `@daily`. */
export function parseCron(expression: string, accepted: CronFields = 'five'): ParsedCron {
  const text = expression.trim().toLowerCase()
  const given = (macros[text] ?? text).split(/\s+/)
  const hasSeconds = accepted === 'five or six' && given.length === fields.length + 1
  const words = hasSeconds ? given : ['0', ...given]
  const all = [second, ...fields]
  if (words.length !== all.length)
    return {
      ok: false,
      problem: `expected five fields: minute, hour, day of the month, month, day of the week, such as 0 4 * * *, ${accepted === 'five' ? '' : 'or six with the second before them, '}or ${Object.keys(macros).join(', ')}`,
    }
  const values = all.map((field, index) => (words[index] ?? '').split(',').map(part => valuesOf(part, field)))
  const bad = all.find((_, index) => values[index]?.includes(undefined))
  if (bad)
    return {
      ok: false,
      problem: `expected ${bad.name === 'hour' ? 'an' : 'a'} ${bad.name} from ${bad.from} to ${bad.to}, a list, a range such as ${bad.from}-${bad.to}, * or */2`,
    }
  const [seconds = [], minutes = [], hours = [], monthDays = [], inMonths = [], weekdays = []] = values.map(parts =>
    [...new Set(parts.flatMap(part => part ?? []))].sort((one, other) => one - other),
  )
  const cron: Cron = {
    seconds,
    minutes,
    hours,
    isEveryMinutes: words[1]?.startsWith('*') === true,
    matchesDate(date) {
      if (!inMonths.includes(date.getUTCMonth() + 1)) return false
      const isMonthDay = monthDays.includes(date.getUTCDate())
      const weekday = date.getUTCDay()
      const isWeekday = weekdays.includes(weekday) || (weekday === 0 && weekdays.includes(7))
      // crontab(5): if both fields are restricted, either is enough
      return words[3]?.startsWith('*') || words[5]?.startsWith('*') ? isMonthDay && isWeekday : isMonthDay || isWeekday
    },
  }
  if (nextDate(cron, new Date(0)) === undefined)
    return {
      ok: false,
      problem: `expected a date that exists: the day ${words[3]} never comes in the month ${words[4]}`,
    }
  return { ok: true, cron }
}

/** First date that matches, from `from` on; both are midnight UTC of a date. Undefined if none ever does. */
export function nextDate(cron: Cron, from: Date): Date | undefined {
  for (let day = 0; day < calendarDays; day++) {
    const date = new Date(from.getTime() + day * dayMs)
    if (cron.matchesDate(date)) return date
  }
  return undefined
}

/** Values that a part of a field stands for; undefined if it is invalid. */
function valuesOf(part: string, { from, to, names }: (typeof fields)[number]): number[] | undefined {
  const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? []
  const by = Number(step ?? 1)
  if (range === '' || by === 0 || by > to) return undefined
  if (range !== '*' && step !== undefined && !range.includes('-')) return undefined
  const ends = range.split('-').map(word => {
    const named = names.indexOf(word as never)
    if (named >= 0) return named + from
    return /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN
  })
  const [first = Number.NaN, last = first] = range === '*' ? [from, to] : ends
  if (ends.length > 2 || !(first >= from && last <= to && first <= last)) return undefined
  const values: number[] = []
  for (let value = first; value <= last; value += by) values.push(value)
  return values
}
