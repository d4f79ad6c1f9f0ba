import type { Bench, Measure } from '../bench.ts'
import { streams } from '../h2load.ts'
import { describeMedian, ratios } from '../median.ts'
import { loadRequests, paths, type RequestResult } from '../request-load.ts'
import { origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { pageBytes, workers } from '../workspace.ts'
import { emptyLogs } from './throughput.ts'

const connections = 64
const warmUpSeconds = 1

type What = keyof typeof paths
const protocols = [
  { name: 'HTTP/1.1', scheme: 'http', isHttp2: false },
  { name: 'HTTPS', scheme: 'https', isHttp2: false },
  { name: 'HTTP/2', scheme: 'https', isHttp2: true },
] as const
type Load = (typeof protocols)[number] & { what: What }

/** Requests per second for a static file and for the app, over three protocols. */
export const front: Measure = {
  name: 'front',
  title: `Requests per second of the front, ${connections} connections`,
  async run(bench) {
    const unmountable = bench.workspace.image.mount()
    if (unmountable) bench.say(`front: files of the image are left out: cannot mount an overlay: ${unmountable}`)
    const whats = (Object.keys(paths) as What[]).filter(what => !unmountable || what !== 'file of the image')
    const loads: Load[] = whats.flatMap(what => protocols.map(protocol => ({ ...protocol, what })))
    const stacks = [bench.monohull, bench.script, ...bench.fronts]
    const results = loads.map(() => stacks.map((): number[] => []))
    const failures = stacks.map(() => 0)
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`front: round ${round + 1} of ${bench.rounds}`)
      // the order changes with each round
      const order = stacks.map((_, index) => stacks[(index + round) % stacks.length] as Stack)
      await runRound({ bench, order, loads }, (index, stack, result) => {
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

const explanation = `File of the image: ${pageBytes} bytes on an overlay mount, as in a container, the same for all; Monohull keeps it open (decision 29). File on a
disk: the same file in a directory of the underlying file system, as in a volume. Proxied: Express in ${workers} workers. HTTP/1.1 and HTTPS by wrk, HTTP/2 (over TLS) by h2load with
${streams} streams per connection; handshakes are included, because nginx closes a connection after 1,000 requests.`

/** Runs all loads in turn, each on every stack in immediate succession. */
async function runRound(
  { bench, order, loads }: { bench: Bench; order: readonly Stack[]; loads: readonly Load[] },
  report: (load: number, stack: Stack, result: RequestResult) => void,
): Promise<void> {
  const all = new Map<Stack, Running>()
  try {
    for (const stack of order) {
      const running = await stack.start({ servesFiles: true })
      all.set(stack, running)
      for (const what of new Set(loads.map(one => one.what)))
        await untilServing(running, `${origins(running).https}${paths[what]}`)
    }
    for (const [index, one] of loads.entries()) {
      for (const [stack, running] of all) {
        const kind = { ...one, method: 'GET' as const }
        await loadRequests(kind, running, { connections, seconds: warmUpSeconds })
        report(index, stack, await loadRequests(kind, running, { connections, seconds: bench.seconds }))
        emptyLogs(running)
      }
    }
  } finally {
    for (const running of all.values()) await running.stop()
  }
}
