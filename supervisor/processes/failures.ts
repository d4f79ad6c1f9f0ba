/** Of the times of failures, the last one being that of now, those no longer ago than `withinMs`. */
export function failuresWithin(withinMs: number, times: readonly number[]): number[] {
  const now = times.at(-1) ?? 0
  return times.filter(time => now - time < withinMs)
}
