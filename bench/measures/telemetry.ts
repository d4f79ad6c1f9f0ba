import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Measure } from '../bench.ts'
import { describeMedian, median, ratios } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { loadRequests, type RequestKind } from '../request-load.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { home, workers } from '../workspace.ts'

const connections = 64
const warmUpSeconds = 1
/** Least ratio of requests per second. */
const atLeast = 0.95
const kind: RequestKind = { what: 'proxied', method: 'GET', scheme: 'http', isHttp2: false }

/** Instances, each with the variables of its export; the first one has none. */
const sides: readonly { name: string; env: Record<string, string> }[] = [
  { name: 'off', env: {} },
  {
    name: 'on, a tenth of the traces',
    env: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' },
  },
  { name: 'on, every trace', env: { OTEL_TRACES_SAMPLER: 'parentbased_always_on' } },
]

/** Requests per second with OTLP and without. */
export const telemetry: Measure = {
  name: 'telemetry',
  title: `OTLP to a receiver on this machine, ${workers} workers, ${connections} connections, GET over HTTP`,
  async run({ monohull, rounds, seconds, say, workspace }) {
    const receiver = await startReceiver(workspace.node)
    const config = `https: off\napp: { command: [node, server.js], workers: ${workers} }\n`
    const perSecond = sides.map((): number[] => [])
    const cpu = sides.map((): number[] => [])
    let failures = 0
    const all: Running[] = []
    try {
      for (const [index, { env }] of sides.entries())
        all.push(
          await monohull.start({
            config,
            env:
              index === 0 ? {} : { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_SERVICE_NAME: 'bench' },
          }),
        )
      for (const running of all) await untilServing(running, `${origins(running).http}/`)
      for (let round = 1; round <= rounds; round++) {
        say(`telemetry: round ${round} of ${rounds}`)
        const order = [...all.entries()]
        for (const [side, running] of round % 2 === 0 ? order.toReversed() : order) {
          await loadRequests(kind, running, { connections, seconds: warmUpSeconds })
          const before = cpuOf(running)
          const result = await loadRequests(kind, running, { connections, seconds })
          failures += result.failures
          perSecond[side]?.push(result.perSecond)
          cpu[side]?.push(((cpuOf(running) - before) * 1000) / result.requests)
        }
      }
    } finally {
      await Promise.all(all.map(running => running.stop()))
      receiver.process.kill()
    }
    const rows = sides.map(({ name }, side) => {
      const [off = []] = perSecond
      const share = ratios(perSecond[side] ?? [], off)
      const verdict = share.length > 0 && median(share) >= atLeast ? 'met' : '**missed**'
      return [
        name,
        describeMedian(perSecond[side] ?? [], 0),
        side === 0 ? '' : `${describeMedian(share, 3)}: ${verdict}`,
        describeMedian(cpu[side] ?? [], 1),
      ]
    })
    const head = ['OTLP', 'req/s', `ratio (target ≥ ${atLeast})`, 'CPU of the supervisor per request, µs']
    return `${markdownTable(head, rows)}\n\nFailed requests in all runs: ${failures}.`
  },
}

async function startReceiver(node: string): Promise<{ endpoint: string; process: ChildProcess }> {
  const receiver = spawn(node, [join(home, 'bench/app/receiving.cjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(receiver.stdout, 'data')
  receiver.stdout.resume()
  return { endpoint: `http://127.0.0.1:${Number(port)}`, process: receiver }
}

function cpuOf({ supervisorPids }: Running): number {
  return supervisorPids().reduce((sum, pid) => sum + readFigures(pid).cpuMs, 0)
}
