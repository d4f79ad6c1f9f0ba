import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { startSide } from '../faults/under-load.ts'
import { ratios } from '../median.ts'
import { kill } from '../processes.ts'
import type { Running } from '../stacks/stack.ts'
import { measureBareStart } from './bare-start.ts'
import type { Finding } from './finding.ts'

const deadlineMs = 30_000
/** Pause after a worker has started or died, until its work is done. */
const settleMs = 1000
const pollMs = 2

/** Time from the death of a worker to `worker ready`, compared with the app's own start. */
export async function measureCrash({ workspace, monohull, rounds, say }: Bench): Promise<Finding[]> {
  const restarts: number[] = []
  const starts: number[] = []
  const running = await startSide({ stack: monohull })
  try {
    // round 0 fills caches
    for (let round = 0; round <= rounds; round++) {
      say(`limits: restart after a crash, round ${round} of ${rounds}`)
      await pause(settleMs)
      const start = await measureBareStart(workspace)
      await pause(settleMs)
      const restart = await measureRestart(running)
      if (round === 0) continue
      starts.push(start)
      restarts.push(restart)
    }
  } finally {
    await running.stop()
  }
  return [
    { name: '`node server.js` to its port listening, ms', values: starts, digits: 0 },
    { name: '`kill -9` of a worker to `worker ready`, ms', values: restarts, digits: 0 },
    {
      name: 'ratio of the two',
      values: ratios(restarts, starts),
      digits: 2,
      target: { atMost: 1.3, unit: '', digits: 2 },
    },
  ]
}

/** Duration of one restart in ms, by the time in the log line. */
async function measureRestart(running: Running): Promise<number> {
  const seen = readReadyTimes(running).length
  const killedAt = Date.now()
  kill(running.workerPids()[0] ?? 0, 'SIGKILL')
  while (Date.now() - killedAt < deadlineMs) {
    const readyAt = readReadyTimes(running)[seen]
    if (readyAt !== undefined) return readyAt - killedAt
    await pause(pollMs)
  }
  throw new Error(`no worker was ready within ${deadlineMs} ms: ${running.log()}`)
}

function readReadyTimes(running: Running): number[] {
  return [...running.log().matchAll(/^(\S+Z) monohull \w+ worker ready\b/gm)].map(([, time = '']) => Date.parse(time))
}
