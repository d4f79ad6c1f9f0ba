import { median } from './median.ts'

/** Upper bound for the median of a figure. */
export interface Target {
  atMost: number
  unit: string
  digits: number
}

/** Verdict on the median, such as `≤ 1.30: met`. Without values the target is missed. */
export function judgeTarget(values: readonly number[], { atMost, unit, digits }: Target): string {
  const isMet = values.length > 0 && median(values) <= atMost
  return `≤ ${atMost.toFixed(digits)}${unit}: ${isMet ? 'met' : '**missed**'}`
}
