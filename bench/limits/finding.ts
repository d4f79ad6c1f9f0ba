import type { Target } from '../target.ts'

/** Row of the table. */
export interface Finding {
  name: string
  /** One value per round. */
  values: number[]
  digits: number
  target?: Target
}
