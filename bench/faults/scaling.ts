import { workers } from '../workspace.ts'
import type { Fault } from './fault.ts'
import { underLoad, untilWorkers } from './under-load.ts'

const many = 8

/** Scaling up, then down. */
export const scaling: Fault = {
  name: 'scale',
  title: `scale ${workers} → ${many} → ${workers}`,
  needs: 'scale',
  asksWorkersToEnd: true,
  play: (side, amount) =>
    underLoad({
      side,
      amount,
      async act({ running, outcome }) {
        for (const count of [many, workers]) {
          const result = await running.control?.scale(count)
          const isReached = await untilWorkers(running, count)
          if (!result?.isDone || !isReached) outcome.problems.push(`${count} workers were not reached`)
        }
      },
    }),
}
