import { dirname } from 'node:path'
import type { Measure } from '../bench.ts'
import { loadHandshakes } from '../handshakes.ts'
import { describeMedian, ratios } from '../median.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const clients = 4
const warmUpSeconds = 1

const kinds = [
  { name: 'full, TLS 1.3', words: ['-new', '-tls1_3'] },
  { name: 'full, TLS 1.2', words: ['-new', '-tls1_2'] },
  // in TLS 1.3 the session ticket arrives after the handshake, with the first response
  { name: 'resumed, TLS 1.3, with a request', words: ['-reuse', '-tls1_3', '-www', '/'] },
  { name: 'resumed, TLS 1.2', words: ['-reuse', '-tls1_2'] },
]

/** New connections per second of two servers with the same certificate. */
export const handshakes: Measure = {
  name: 'handshakes',
  title: `TLS handshakes per second, ${clients} clients, a P-256 certificate`,
  async run(bench) {
    const stacks = [bench.monohull, bench.script]
    const certificates = dirname(bench.workspace.certificate)
    const results = kinds.map(() => stacks.map((): number[] => []))
    const resumed = kinds.map((): number[] => [])
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`handshakes: round ${round} of ${bench.rounds}`)
      const order = round % 2 === 0 ? stacks.toReversed() : stacks
      const all = new Map<(typeof stacks)[number], Running>()
      try {
        for (const stack of order) {
          const running = await stack.start({ certificates })
          all.set(stack, running)
          await untilServing(running, `${origins(running).https}/`)
        }
        for (const [index, { words }] of kinds.entries()) {
          for (const phase of ['warm up', 'measured'] as const) {
            for (const [stack, { httpsPort: port }] of all) {
              const seconds = phase === 'measured' ? bench.seconds : warmUpSeconds
              const rate = await loadHandshakes({ port, words, clients, seconds })
              if (phase === 'warm up') continue
              results[index]?.[stacks.indexOf(stack)]?.push(rate.perSecond)
              resumed[index]?.push(rate.resumed)
            }
          }
        }
      } finally {
        for (const running of all.values()) await running.stop()
      }
    }
    const rows = kinds.map(({ name }, index) => {
      const [own = [], base = []] = results[index] ?? []
      const ratio = describeMedian(ratios(own, base), 2)
      return [name, describeMedian(own), describeMedian(base), ratio, describeMedian(resumed[index] ?? [], 2)]
    })
    const head = ['handshakes/s', ...stacks.map(stack => stack.name), 'ratio (target ≥ 0.97)', 'share resumed']
    return markdownTable(head, rows)
  },
}
