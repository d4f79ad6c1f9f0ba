import { countFailures } from '../client/tally.ts'
import type { Outcome } from './fault.ts'

/**
 * What is against the expectation; nothing: it is met. No GET may fail, and no POST but those that were in flight in a
 * worker that was killed.
 */
export function findMisses({ tally, lostAtMost, problems }: Outcome): string[] {
  const gets = countFailures(tally, 'GET')
  const posts = countFailures(tally, 'POST')
  return [
    ...(gets > 0 ? [`${gets} GETs failed`] : []),
    ...(posts > lostAtMost ? [`${posts} POSTs failed, ${lostAtMost} may`] : []),
    ...problems,
  ]
}
