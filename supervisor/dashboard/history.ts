import { measures, type Point } from './point.ts'

const width = measures.length + 1

/** Points with their times, as columns: the first has times in seconds since the Unix epoch, the others are as in `measures`. NaN is null. */
export type Columns = (number | null)[][]

/** Bounded history of points: when it is full, the oldest gives way. */
export interface History {
  /** Adds a point; `at` is in ms since the Unix epoch. */
  add(at: number, point: Point): void
  /** Points after `at`, in ms since the Unix epoch, the oldest first. */
  after(at: number): Columns
  size(): number
}

/** History of at most `capacity` points, which takes some 90 bytes for each. */
export function createHistory(capacity: number): History {
  const values = new Float64Array(capacity * width)
  let added = 0
  const size = () => Math.min(added, capacity)
  return {
    size,
    add(at, point) {
      const offset = (added % capacity) * width
      values[offset] = at
      for (const [index, name] of measures.entries()) values[offset + 1 + index] = point[name]
      added++
    },
    after(at) {
      const columns: Columns = Array.from({ length: width }, () => [])
      for (let index = added - size(); index < added; index++) {
        const offset = (index % capacity) * width
        const time = values[offset] ?? 0
        if (time <= at) continue
        for (const [position, column] of columns.entries())
          column.push(position === 0 ? Math.round(time) / 1000 : rounded(values[offset + position]))
      }
      return columns
    },
  }
}

/** Four significant digits: enough for a chart, and half of the bytes. */
function rounded(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : Number(value.toPrecision(4))
}
