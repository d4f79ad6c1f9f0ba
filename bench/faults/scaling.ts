import { workers } from '../workspace.ts'
import type { Fault } from './fault.ts'
import { underLoad, untilWorkers } from './under-load.ts'

const many = 8

/** More workers, then fewer. */
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
          const isThere = await untilWorkers(running, count)
          if (!result?.isDone || !isThere) outcome.problems.push(`${count} workers were not reached`)
        }
      },
    }),
}
