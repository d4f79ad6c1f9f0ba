import { truncateSync } from 'node:fs'
import type { Measure } from '../bench.ts'
import { load } from '../load.ts'
import { describeMedian, ratios } from '../median.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const connections = 64
const warmUpSeconds = 1

const loads = (['GET', 'POST'] as const).flatMap(method =>
  (['http', 'https'] as const).map(scheme => ({ method, scheme })),
)

/** Requests per second through nginx to two workers. */
export const throughput: Measure = {
  name: 'throughput',
  title: `Requests per second through nginx to 2 workers, ${connections} connections`,
  async run(bench) {
    const stacks = [bench.monohull, bench.script]
    const results = loads.map(() => stacks.map((): number[] => []))
    let failures = 0
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`throughput: round ${round} of ${bench.rounds}`)
      // the order changes with each round
      const order = round % 2 === 0 ? stacks.toReversed() : stacks
      const all = new Map<(typeof stacks)[number], Running>()
      try {
        for (const stack of order) {
          const running = await stack.start()
          all.set(stack, running)
          await untilServing(running, `${origins(running).https}/`)
        }
        for (const [index, { method, scheme }] of loads.entries()) {
          for (const phase of ['warm up', 'measured'] as const) {
            for (const [stack, running] of all) {
              const url = `${origins(running)[scheme]}/`
              const seconds = phase === 'measured' ? bench.seconds : warmUpSeconds
              const result = await load({ url, method, connections, seconds, dir: running.dir })
              failures += result.status + result.connect + result.read + result.write + result.timeout
              if (phase === 'measured') results[index]?.[stacks.indexOf(stack)]?.push(result.perSecond)
              emptyLogs(running)
            }
          }
        }
      } finally {
        for (const running of all.values()) await running.stop()
      }
    }
    const rows = loads.map(({ method, scheme }, index) => {
      const [own = [], base = []] = results[index] ?? []
      const load = `${method}${method === 'POST' ? ' 1 KB' : ''}, ${scheme.toUpperCase()}`
      return [load, describeMedian(own), describeMedian(base), describeMedian(ratios(own, base), 2)]
    })
    const table = markdownTable(['req/s', ...stacks.map(stack => stack.name), 'ratio (target ≥ 0.97)'], rows)
    return `${table}\n\nFailed requests in all runs: ${failures}.`
  },
}

/** Empties the access logs: every side appends a line per request to a file. */
export function emptyLogs({ dir }: Running): void {
  for (const name of ['output.log', 'access.log']) {
    try {
      truncateSync(`${dir}/${name}`)
    } catch {
      // the name of the other side
    }
  }
}
