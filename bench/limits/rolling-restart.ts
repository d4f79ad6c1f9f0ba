import type { Bench } from '../bench.ts'
import { startSide, untilWorkers } from '../faults/under-load.ts'
import { median } from '../median.ts'
import { measureBareStart } from './bare-start.ts'
import type { Finding } from './finding.ts'

const workers = 8
const graceSeconds = 5

/** Rolling restart of 8 workers, compared with 8 starts of the app plus 5 s. */
export async function measureRollingRestart({ workspace, monohull, rounds, say }: Bench): Promise<Finding[]> {
  const starts: number[] = []
  const restarts: number[] = []
  const running = await startSide({ stack: monohull }, { workers })
  try {
    for (let round = 1; round <= rounds; round++) {
      say(`limits: rolling restart of ${workers}, round ${round} of ${rounds}`)
      await untilWorkers(running, workers)
      starts.push((await measureBareStart(workspace)) / 1000)
      const startedAt = performance.now()
      const result = await running.control?.roll()
      if (!result?.isDone) throw new Error(`cannot restart the workers: ${result?.detail}`)
      restarts.push((performance.now() - startedAt) / 1000)
    }
  } finally {
    await running.stop()
  }
  const atMost = workers * median(starts) + graceSeconds
  return [
    {
      name: `rolling restart of ${workers} workers, s (target: ${workers} starts of the app and ${graceSeconds} s)`,
      values: restarts,
      digits: 2,
      target: { atMost, unit: ' s', digits: 1 },
    },
  ]
}
