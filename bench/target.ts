import { median } from './median.ts'

/** A bound that the median of a figure must keep. */
export interface Target {
  atMost: number
  unit: string
  digits: number
}

/** `≤ 1.30: met`, of the median; nothing measured is missed. */
export function judgeTarget(values: readonly number[], { atMost, unit, digits }: Target): string {
  const isMet = values.length > 0 && median(values) <= atMost
  return `≤ ${atMost.toFixed(digits)}${unit}: ${isMet ? 'met' : '**missed**'}`
}
