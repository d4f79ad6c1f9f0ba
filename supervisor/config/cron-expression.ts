const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields = [
  { name: 'minute', from: 0, to: 59, names: [] },
  { name: 'hour', from: 0, to: 23, names: [] },
  { name: 'day of the month', from: 1, to: 31, names: [] },
  { name: 'month', from: 1, to: 12, names: months },
  { name: 'day of the week', from: 0, to: 7, names: days },
]

/** Problem with a cron expression of five fields (crontab(5): numbers, names, lists, ranges, steps); undefined if it is valid. */
export function describeCronProblem(expression: string): string | undefined {
  const words = expression.trim().toLowerCase().split(/\s+/)
  if (words.length !== fields.length)
    return 'expected five fields: minute, hour, day of the month, month, day of the week, such as 0 4 * * *'
  const bad = fields.find((field, index) => !(words[index] ?? '').split(',').every(part => isPart(part, field)))
  return (
    bad &&
    `expected ${bad.name === 'hour' ? 'an' : 'a'} ${bad.name} from ${bad.from} to ${bad.to}, a list, a range such as ${bad.from}-${bad.to}, * or */2`
  )
}

function isPart(part: string, { from, to, names }: (typeof fields)[number]): boolean {
  const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? []
  if (range === '' || step === '0' || Number(step ?? 1) > to) return false
  if (range === '*') return true
  if (step !== undefined && !range.includes('-')) return false
  const ends = range.split('-').map(word => {
    const named = names.indexOf(word as never)
    if (named >= 0) return named + from
    return /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN
  })
  const [first = Number.NaN, last = first] = ends
  return ends.length <= 2 && first >= from && last <= to && first <= last
}
