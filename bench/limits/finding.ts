import type { Target } from '../target.ts'

/** One line of the table. */
export interface Finding {
  name: string
  /** One a round. */
  values: number[]
  digits: number
  target?: Target
}
