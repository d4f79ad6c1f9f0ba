import type { Bench, Measure } from '../bench.ts'
import { loadHttp2, streams } from '../h2load.ts'
import { load } from '../load.ts'
import { describeMedian, ratios } from '../median.ts'
import { origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { pageBytes, workers } from '../workplace.ts'
import { emptyLogs } from './throughput.ts'

const connections = 64
const warmUpSeconds = 1

const paths = { 'static file': '/static/page.html', proxied: '/' } as const
const protocols = [
  { name: 'HTTP/1.1', scheme: 'http', isHttp2: false },
  { name: 'HTTPS', scheme: 'https', isHttp2: false },
  { name: 'HTTP/2', scheme: 'https', isHttp2: true },
] as const
const loads = (['static file', 'proxied'] as const).flatMap(what =>
  protocols.map(protocol => ({ ...protocol, what, path: paths[what] })),
)
type Load = (typeof loads)[number]

/** Requests per second of a static file and through to the app, by three protocols. */
export const front: Measure = {
  name: 'front',
  title: `Requests per second of the front, ${connections} connections`,
  async run(bench) {
    const stacks = [bench.monohull, bench.script, ...bench.fronts]
    const results = loads.map(() => stacks.map((): number[] => []))
    const failures = stacks.map(() => 0)
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`front: round ${round + 1} of ${bench.rounds}`)
      // who comes first changes from round to round
      const order = stacks.map((_, index) => stacks[(index + round) % stacks.length] as Stack)
      await runRound(bench, order, (index, stack, result) => {
        results[index]?.[stacks.indexOf(stack)]?.push(result.perSecond)
        failures[stacks.indexOf(stack)] = (failures[stacks.indexOf(stack)] ?? 0) + result.failures
      })
    }
    const rows = loads.map((one, index) => {
      const [own = [], ...others] = results[index] ?? []
      const figures = [own, ...others].map(values => describeMedian(values))
      return [`${one.what}, ${one.name}`, ...figures, ...others.map(other => describeMedian(ratios(own, other), 2))]
    })
    const others = stacks.slice(1).map(({ name }, index) => `to ${name}${index === 0 ? ' (target ≥ 0.97)' : ''}`)
    const table = markdownTable(['req/s', ...stacks.map(({ name }) => name), ...others], rows)
    const failed = stacks.map(({ name }, index) => `${name} ${failures[index]}`).join(', ')
    return `${table}\n\n${explanation}\n\nFailed requests in all runs: ${failed}.`
  },
}

const explanation = `Static: a file of ${pageBytes} bytes. Proxied: Express in ${workers} workers. HTTP/1.1 and HTTPS by wrk, HTTP/2 (over TLS) by h2load with
${streams} streams in each connection and their handshakes, for nginx closes a connection after 1,000 requests.`

interface Result {
  perSecond: number
  failures: number
}

/** All loads in turn, each on every stack one right after the other. */
async function runRound(
  bench: Bench,
  order: readonly Stack[],
  tell: (load: number, stack: Stack, result: Result) => void,
): Promise<void> {
  const all = new Map<Stack, Running>()
  try {
    for (const stack of order) {
      const running = await stack.start({ servesFiles: true })
      all.set(stack, running)
      for (const path of Object.values(paths)) await untilServing(running, `${origins(running).https}${path}`)
    }
    for (const [index, one] of loads.entries()) {
      for (const [stack, running] of all) {
        await runLoad(one, running, warmUpSeconds)
        tell(index, stack, await runLoad(one, running, bench.seconds))
        emptyLogs(running)
      }
    }
  } finally {
    for (const running of all.values()) await running.stop()
  }
}

async function runLoad({ scheme, isHttp2, path }: Load, running: Running, seconds: number): Promise<Result> {
  const url = `${origins(running)[scheme]}${path}`
  if (isHttp2) return loadHttp2({ url, connections, seconds })
  const { perSecond, status, connect, read, write, timeout } = await load({
    url,
    method: 'GET',
    connections,
    seconds,
    dir: running.dir,
  })
  return { perSecond, failures: status + connect + read + write + timeout }
}
