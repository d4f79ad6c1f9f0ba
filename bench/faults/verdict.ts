import { countFailures } from '../client/tally.ts'
import type { Outcome } from './fault.ts'

/** Missed expectations; empty if all are met. No GET may fail, and no POST except those in flight in a killed worker. */
export function findMisses({ tally, lostAtMost, problems }: Outcome): string[] {
  const gets = countFailures(tally, 'GET')
  const posts = countFailures(tally, 'POST')
  return [
    ...(gets > 0 ? [`${gets} GETs failed`] : []),
    ...(posts > lostAtMost ? [`${posts} POSTs failed, at most ${lostAtMost} may`] : []),
    ...problems,
  ]
}
