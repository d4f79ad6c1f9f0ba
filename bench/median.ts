/** Median; for an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** Median with minimum and maximum: `161 (158–170)`. */
export function describeMedian(values: readonly number[], digits = 0): string {
  if (values.length === 0) return '–'
  const range = `${format(Math.min(...values), digits)}–${format(Math.max(...values), digits)}`
  return `${format(median(values), digits)} (${range})`
}

/** Ratios per round: whatever slows one run of a round usually slows the other. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values.flatMap((value, round) => {
    const other = base[round]
    return other === undefined ? [] : [value / other]
  })
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
