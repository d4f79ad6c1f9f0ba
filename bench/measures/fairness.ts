import type { Measure } from '../bench.ts'
import { startClient } from '../client/client.ts'
import { percentile } from '../client/tally.ts'
import { describeMedian } from '../median.ts'
import { origins, type StartOptions, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const workers = 4
const connections = { GET: 16, POST: 2 }
const pauseMs = { GET: 20, POST: 100 }

const settings: [string, StartOptions][] = [
  ['least_conn, default', { entry: 'blocking.js' }],
  ['least_conn, delayed workers do not accept', { entry: 'pausing.js' }],
  ['least_conn without keep-alive', { entry: 'blocking.js', keepalive: 0 }],
  ['least_conn without keep-alive, delayed workers do not accept', { entry: 'pausing.js', keepalive: 0 }],
  ['round_robin', { entry: 'blocking.js', balance: 'round_robin' }],
]

/** Latency of GETs beside POSTs that block the event loop of their worker. */
export const fairness: Measure = {
  name: 'fairness',
  title: `GETs beside POSTs that block an event loop for 100 ms, ${workers} workers`,
  async run(bench) {
    const found = settings.map(() => ({ middle: [] as number[], late: [] as number[], count: [] as number[] }))
    for (let round = 1; round <= bench.rounds; round++) {
      // the order changes with each round
      const order = settings.map((_, index) => (index + round) % settings.length)
      for (const index of order) {
        const [name, options] = settings[index] ?? ['', {}]
        bench.say(`fairness: round ${round} of ${bench.rounds}: ${name}`)
        const running = await bench.monohull.start({ ...options, workers })
        try {
          await untilServing(running, `${origins(running).https}/`)
          const clients = (['POST', 'GET'] as const).map(method =>
            startClient({
              port: running.httpPort,
              connections: { [method]: connections[method] },
              seconds: bench.seconds,
              pauseMs: pauseMs[method],
            }),
          )
          await Promise.all(clients.map(client => client.untilCompleted(Number.POSITIVE_INFINITY)))
          const [, gets] = await Promise.all(clients.map(client => client.stop()))
          const latencies = gets?.latencies.before ?? []
          found[index]?.middle.push(percentile(latencies, 0.5))
          found[index]?.late.push(percentile(latencies, 0.99))
          found[index]?.count.push(latencies.length)
        } finally {
          await running.stop()
        }
      }
    }
    const rows = settings.map(([name], index) => {
      const { middle = [], late = [], count = [] } = found[index] ?? {}
      return [name, describeMedian(count), describeMedian(middle, 1), describeMedian(late, 1)]
    })
    return markdownTable(['', 'GETs', 'p50, ms', 'p99, ms'], rows)
  },
}
