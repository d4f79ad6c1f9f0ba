import { join } from 'node:path'
import { requestSocket } from '../../supervisor/base/adapters/unix-http.ts'
import type { Measure } from '../bench.ts'
import { untilWorkers } from '../faults/under-load.ts'
import { describeMedian } from '../median.ts'
import { origins, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { judgeTarget } from '../target.ts'

const routeCount = 200
const atMostMs = 50
const scrapes = 20
const pauseMs = 200
const methods = ['GET', 'POST']

/** Time of a scrape of a large instance at rest. */
export const scrape: Measure = {
  name: 'scrape',
  title: `Scrape of the metrics, ${routeCount} routes`,
  async run({ monohull, limits: { wide }, rounds, say }) {
    const times: number[] = []
    let bytes = 0
    let series = 0
    for (let round = 1; round <= rounds; round++) {
      say(`scrape: round ${round} of ${rounds}`)
      const running = await monohull.start({ config: configOf(wide) })
      try {
        await untilServing(running, `${origins(running).http}/`)
        await untilWorkers(running, wide)
        for (let route = 1; route < routeCount; route++)
          for (const method of methods)
            await fetch(`${origins(running).http}/route-${route}`, { method }).then(response => response.text())
        // the first one asks the other nginx workers to show their requests
        await read(running.dir)
        for (let count = 0; count < scrapes; count++) {
          await new Promise(resolve => setTimeout(resolve, pauseMs))
          const before = performance.now()
          const body = await read(running.dir)
          times.push(performance.now() - before)
          bytes = body.length
          series = body.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
        }
      } finally {
        await running.stop()
      }
    }
    const target = judgeTarget(times, { atMost: atMostMs, unit: ' ms', digits: 0 })
    const row = [`${wide} workers`, String(series), `${Math.round(bytes / 1024)}`, describeMedian(times, 1), target]
    return markdownTable(['', 'time series', 'KB', 'ms', 'target'], [row])
  },
}

function configOf(wide: number): string {
  const routes = Array.from({ length: routeCount - 1 }, (_, index) => `  - { path: /route-${index + 1}, app: app }\n`)
  return `app: { command: [node, server.js], workers: ${wide} }\nhttps: on\nroutes:\n  - { path: /, app: app }\n${routes.join('')}`
}

async function read(dir: string): Promise<string> {
  const path = '/metrics'
  const { status, body } = await requestSocket(join(dir, 'run/admin.sock'), { method: 'GET', path, timeoutMs: 10_000 })
  if (status !== 200) throw new Error(`the metrics have status ${status}`)
  return body
}
