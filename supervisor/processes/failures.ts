/** Times of failures at most `withinMs` before the last one. */
export function failuresWithin(withinMs: number, times: readonly number[]): number[] {
  const now = times.at(-1) ?? 0
  return times.filter(time => now - time < withinMs)
}
