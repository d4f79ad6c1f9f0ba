import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Measure } from '../bench.ts'
import { loadHttp2, streams } from '../h2load.ts'
import { describeMedian, median, ratios } from '../median.ts'
import { callHeaders, callPath, message, startGrpcMonohull, startGrpcNginx, untilCalled } from '../stacks/grpc.ts'
import { origins, type Running } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { workers } from '../workspace.ts'
import { emptyLogs, nginxCpuMs } from './throughput.ts'

const connections = 16
const warmUpSeconds = 1
/** Least ratio of calls per second. */
const atLeast = 0.97

interface Sample {
  perSecond: number
  /** CPU time of nginx's workers per call, in µs. */
  cpu: number
}

/** Unary gRPC calls per second over TLS, beside nginx with a configuration written by hand. */
export const grpc: Measure = {
  name: 'grpc',
  title: `Unary gRPC calls over TLS to ${workers} servers of @grpc/grpc-js, ${connections} connections with ${streams} calls each`,
  async run({ workspace, monohull, rounds, seconds, say }) {
    const body = join(workspace.dir, 'grpc-message')
    writeFileSync(body, message)
    const headers = Object.entries(callHeaders).map(([name, value]) => `--header=${name}: ${value}`)
    const more = [`--data=${body}`, ...headers]
    const load = (running: Running, forSeconds: number) =>
      loadHttp2({ url: `${origins(running).https}${callPath}`, connections, seconds: forSeconds, more })
    const samples: Sample[][] = [[], []]
    const both: Running[] = []
    let failures = 0
    try {
      both.push(await startGrpcMonohull(monohull))
      both.push(await startGrpcNginx(workspace))
      for (const running of both) await untilCalled(running)
      for (let round = 1; round <= rounds; round++) {
        say(`grpc: round ${round} of ${rounds}`)
        const order = [...both.entries()]
        for (const [side, running] of round % 2 === 0 ? order.toReversed() : order) {
          await load(running, warmUpSeconds)
          const before = nginxCpuMs(running)
          const result = await load(running, seconds)
          const cpu = ((nginxCpuMs(running) - before) * 1000) / result.requests
          failures += result.failures
          samples[side]?.push({ cpu, perSecond: result.perSecond })
          emptyLogs(running)
        }
      }
      for (const running of both) await untilCalled(running)
    } finally {
      await Promise.all(both.map(running => running.stop()))
    }
    const of = (side: number, key: keyof Sample) => (samples[side] ?? []).map(sample => sample[key])
    const share = ratios(of(0, 'perSecond'), of(1, 'perSecond'))
    const isMet = share.length > 0 && median(share) >= atLeast
    const rows = [
      [
        'calls per second',
        describeMedian(of(0, 'perSecond'), 0),
        describeMedian(of(1, 'perSecond'), 0),
        `${describeMedian(share, 3)}, target ≥ ${atLeast}: ${isMet ? 'met' : '**missed**'}`,
      ],
      [
        'CPU of nginx per call, µs',
        describeMedian(of(0, 'cpu'), 1),
        describeMedian(of(1, 'cpu'), 1),
        describeMedian(ratios(of(0, 'cpu'), of(1, 'cpu')), 3),
      ],
    ]
    return `${markdownTable(['', 'monohull', 'nginx', 'ratio'], rows)}\n\nFailed calls in all runs: ${failures}.`
  },
}
