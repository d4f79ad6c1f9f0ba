import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { startSide, untilWorkers } from '../faults/under-load.ts'
import { ratios } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import type { Running } from '../stacks/stack.ts'
import { workers } from '../workspace.ts'
import type { Finding } from './finding.ts'

/** Pause after startup. */
const settleMs = 10_000

interface Rest {
  rss: number
  /** Percent of one core. */
  cpu: number
}

/** Supervisors at rest with 2 workers and with many, side by side. */
export async function measureSupervisor({ monohull, rounds, limits, say }: Bench): Promise<Finding[]> {
  const { wide, restSeconds } = limits
  const few: Rest[] = []
  const many: Rest[] = []
  for (let round = 1; round <= rounds; round++) {
    say(`limits: supervisor at rest with ${workers} and ${wide} workers, round ${round} of ${rounds}`)
    const all: Running[] = []
    try {
      for (const count of [workers, wide]) {
        const running = await startSide({ stack: monohull }, { workers: count })
        all.push(running)
        if (!(await untilWorkers(running, count))) throw new Error(`cannot start ${count} workers: timed out`)
      }
      await pause(settleMs)
      const [one, other] = await Promise.all(all.map(running => measureRest(running, restSeconds)))
      if (one && other) {
        few.push(one)
        many.push(other)
      }
    } finally {
      await Promise.all(all.map(running => running.stop()))
    }
  }
  const rss = (of: Rest[]) => of.map(rest => rest.rss)
  const cpu = (of: Rest[]) => of.map(rest => rest.cpu)
  const cpuTarget = { atMost: 0.5, unit: ' %', digits: 1 }
  return [
    { name: `RSS of the supervisor, ${workers} workers, MB`, values: rss(few), digits: 1 },
    { name: `RSS of the supervisor, ${wide} workers, MB`, values: rss(many), digits: 1 },
    {
      name: 'ratio of the two',
      values: ratios(rss(many), rss(few)),
      digits: 2,
      target: { atMost: 1.25, unit: '', digits: 2 },
    },
    {
      name: `CPU of the supervisor at rest, ${workers} workers, % of a core`,
      values: cpu(few),
      digits: 2,
      target: cpuTarget,
    },
    {
      name: `CPU of the supervisor at rest, ${wide} workers, % of a core`,
      values: cpu(many),
      digits: 2,
      target: cpuTarget,
    },
  ]
}

async function measureRest(running: Running, seconds: number): Promise<Rest> {
  const before = readFigures(running.pid)
  const startedAt = performance.now()
  await pause(seconds * 1000)
  const after = readFigures(running.pid)
  return { rss: after.rssMb, cpu: ((after.cpuMs - before.cpuMs) / (performance.now() - startedAt)) * 100 }
}
