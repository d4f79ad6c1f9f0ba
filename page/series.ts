import type { Columns } from '../supervisor/dashboard/history.ts'
import { type Measure, measures } from '../supervisor/dashboard/point.ts'
import type { State } from './state.ts'

/** Period that charts show. */
export type Range = '10 min' | '24 h'

/** Length of a period in seconds, and the time between two points from which there is a gap. */
export const ranges: Record<Range, { seconds: number; gap: number }> = {
  '10 min': { seconds: 600, gap: 4 },
  '24 h': { seconds: 86_400, gap: 150 },
}

/** Values of measures over a period, with a gap where no sample was taken. */
export function seriesOf(state: State, range: Range, names: readonly Measure[]): Columns {
  const columns = range === '10 min' ? state.seconds : state.minutes
  const times = columns[0] ?? []
  const kept = names.map(name => columns[measures.indexOf(name) + 1] ?? [])
  const result: Columns = [[], ...names.map(() => [])]
  for (const [index, time] of times.entries()) {
    const before = times[index - 1]
    if (time === null) continue
    if (before !== null && before !== undefined && time - before > ranges[range].gap) {
      result[0]?.push((before + time) / 2)
      for (const column of result.slice(1)) column.push(null)
    }
    result[0]?.push(time)
    for (const [position, column] of kept.entries()) result[position + 1]?.push(column[index] ?? null)
  }
  return result
}

/** Part of a period of `seconds` that is shown: since the first sample, and at least a tenth. */
export function shownSeconds(times: readonly (number | null)[], end: number, seconds: number): number {
  const known = end - (times.find(time => time !== null) ?? end)
  return Math.min(seconds, Math.max(known, seconds / 10))
}

/** Path of a sparkline in a box of `width` by `height`, over a period that ends at `end`. */
export function sparkline(
  times: readonly (number | null)[],
  values: readonly (number | null)[],
  { end, seconds, width, height }: { end: number; seconds: number; width: number; height: number },
): string {
  const most = Math.max(...values.map(value => value ?? 0), Number.EPSILON)
  let path = ''
  let isDrawing = false
  for (const [index, value] of values.entries()) {
    const time = times[index]
    if (value === null || time === null || time === undefined) {
      isDrawing = false
      continue
    }
    const x = width * (1 - (end - time) / seconds)
    if (x < 0) continue
    const y = height - 1 - (height - 2) * (value / most)
    path += `${isDrawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    isDrawing = true
  }
  return path
}
