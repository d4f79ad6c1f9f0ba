import type { Measure } from '../bench.ts'
import { describeMedian, median, ratios } from '../median.ts'
import { loadRequests, type RequestKind } from '../request-load.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { workers } from '../workspace.ts'
import { nginxCpuMs } from './throughput.ts'

const connections = 64
const warmUpSeconds = 1
/** Least ratio of requests per second. */
const atLeast = 0.98

const kinds: readonly RequestKind[] = [
  { what: 'proxied', method: 'GET', scheme: 'http', isHttp2: false },
  { what: 'proxied', method: 'POST', scheme: 'http', isHttp2: false },
  { what: 'proxied', method: 'GET', scheme: 'https', isHttp2: false },
  { what: 'proxied', method: 'POST', scheme: 'https', isHttp2: false },
]

interface Sample {
  perSecond: number
  /** CPU time of nginx's workers per request, in µs. */
  cpu: number
}

/** Requests per second with the counting of requests and without. */
export const metrics: Measure = {
  name: 'metrics',
  title: `Counting of requests on and off, ${workers} workers, ${connections} connections`,
  async run({ monohull, rounds, seconds, say }) {
    const configs = [true, false].map(
      isOn => `app: { command: [node, server.js], workers: ${workers} }\nhttps: on\nmetrics: { requests: ${isOn} }\n`,
    )
    const samples = kinds.map(() => configs.map((): Sample[] => []))
    let failures = 0
    const both: Running[] = []
    try {
      for (const config of configs) both.push(await monohull.start({ config }))
      for (const running of both) await untilServing(running, `${origins(running).https}/`)
      for (let round = 1; round <= rounds; round++) {
        say(`metrics: round ${round} of ${rounds}`)
        for (const [row, kind] of kinds.entries()) {
          const order = [...both.entries()]
          for (const [side, running] of round % 2 === 0 ? order.toReversed() : order) {
            await loadRequests(kind, running, { connections, seconds: warmUpSeconds })
            const before = nginxCpuMs(running)
            const result = await loadRequests(kind, running, { connections, seconds })
            const cpu = ((nginxCpuMs(running) - before) * 1000) / result.requests
            failures += result.failures
            samples[row]?.[side]?.push({ cpu, perSecond: result.perSecond })
          }
        }
      }
    } finally {
      await Promise.all(both.map(running => running.stop()))
    }
    const rows = kinds.map(({ method, scheme }, row) => {
      const [on = [], off = []] = samples[row] ?? []
      const of = (taken: readonly Sample[], key: keyof Sample) => taken.map(sample => sample[key])
      const share = ratios(of(on, 'perSecond'), of(off, 'perSecond'))
      return [
        `${method}, ${scheme.toUpperCase()}`,
        describeMedian(of(on, 'perSecond'), 0),
        describeMedian(of(off, 'perSecond'), 0),
        `${describeMedian(share, 3)}: ${share.length > 0 && median(share) >= atLeast ? 'met' : '**missed**'}`,
        describeMedian(of(on, 'cpu'), 1),
        describeMedian(of(off, 'cpu'), 1),
      ]
    })
    const head = ['', 'req/s on', 'req/s off', `ratio (target ≥ ${atLeast})`, 'nginx CPU on, µs', 'off, µs']
    return `${markdownTable(head, rows)}\n\nFailed requests in all runs: ${failures}.`
  },
}
