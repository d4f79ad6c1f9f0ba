import { truncateSync } from 'node:fs'
import type { Bench, Measure } from '../bench.ts'
import { describeMedian, ratios } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { childrenOf, commandOf } from '../processes.ts'
import { loadRequests, paths, type RequestKind } from '../request-load.ts'
import { origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const connections = 64
const warmUpSeconds = 1

const kinds: readonly RequestKind[] = [
  { what: 'proxied', method: 'GET', scheme: 'http', isHttp2: false },
  { what: 'proxied', method: 'GET', scheme: 'https', isHttp2: false },
  { what: 'proxied', method: 'GET', scheme: 'https', isHttp2: true },
  { what: 'proxied', method: 'POST', scheme: 'http', isHttp2: false },
  { what: 'proxied', method: 'POST', scheme: 'https', isHttp2: false },
  ...(['file of the image', 'file on a disk'] as const).flatMap(what =>
    [
      { scheme: 'http', isHttp2: false } as const,
      { scheme: 'https', isHttp2: false } as const,
      { scheme: 'https', isHttp2: true } as const,
    ].map(protocol => ({ what, method: 'GET' as const, ...protocol })),
  ),
]

interface Row extends RequestKind {
  isLogged: boolean
}

interface Sample {
  /** CPU time of nginx's workers per request, in µs. */
  cpu: number
  perSecond: number
  p99: number | undefined
}

/** Requests through nginx: its CPU time for each, their number per second, and their latency. */
export const throughput: Measure = {
  name: 'throughput',
  title: `Requests through nginx to 2 workers, ${connections} connections`,
  async run(bench) {
    const unmountable = bench.workspace.image.mount()
    if (unmountable) bench.say(`throughput: files of the image are left out: cannot mount an overlay: ${unmountable}`)
    const possible = kinds.filter(({ what }) => !unmountable || what !== 'file of the image')
    const rows: Row[] = [true, false].flatMap(isLogged => possible.map(kind => ({ ...kind, isLogged })))
    const stacks = [bench.monohull, bench.script]
    const samples = rows.map(() => stacks.map((): Sample[] => []))
    let failures = 0
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`throughput: round ${round} of ${bench.rounds}`)
      // the order changes with each round
      const order = round % 2 === 0 ? stacks.toReversed() : stacks
      for (const isLogged of [true, false]) {
        const wanted = rows.filter(row => row.isLogged === isLogged)
        failures += await runRound({ bench, order, rows: wanted, isLogged }, (row, stack, sample) => {
          samples[rows.indexOf(row)]?.[stacks.indexOf(stack)]?.push(sample)
        })
      }
    }
    const cells = rows.map((row, index) => [describeRow(row), ...describeSamples(samples[index] ?? [])])
    const names = stacks.map(({ name }) => `${name}, µs`)
    const head = [
      'nginx CPU per request',
      ...names,
      'ratio (target ≤ 1.00)',
      'req/s ratio',
      'p99 ratio (target ≤ 1.05)',
    ]
    return `${markdownTable(head, cells)}\n\nFailed requests in all runs: ${failures}.`
  },
}

function describeRow({ what, method, scheme, isHttp2, isLogged }: Row): string {
  const protocol = isHttp2 ? 'HTTP/2' : scheme.toUpperCase()
  const kind = what === 'proxied' ? (method === 'POST' ? 'POST 1 KB' : 'GET') : what
  return `${kind}, ${protocol}${isLogged ? '' : ', no access log'}`
}

function describeSamples([own = [], base = []]: readonly (readonly Sample[])[]): string[] {
  const ratioOf = (key: keyof Sample) =>
    describeMedian(
      ratios(
        own.flatMap(sample => sample[key] ?? []),
        base.flatMap(sample => sample[key] ?? []),
      ),
      2,
    )
  const cpu = [own, base].map(taken =>
    describeMedian(
      taken.map(sample => sample.cpu),
      1,
    ),
  )
  return [...cpu, ratioOf('cpu'), ratioOf('perSecond'), ratioOf('p99')]
}

/** Runs all loads in turn, each on both stacks in immediate succession. Returns the number of failed requests. */
async function runRound(
  { bench, order, rows, isLogged }: { bench: Bench; order: readonly Stack[]; rows: readonly Row[]; isLogged: boolean },
  report: (row: Row, stack: Stack, sample: Sample) => void,
): Promise<number> {
  let failures = 0
  const all = new Map<Stack, Running>()
  try {
    for (const stack of order) {
      const running = await stack.start({ servesFiles: true, accessLog: isLogged })
      all.set(stack, running)
      for (const what of new Set(rows.map(row => row.what)))
        await untilServing(running, `${origins(running).https}${paths[what]}`)
    }
    for (const row of rows) {
      for (const running of all.values()) await loadRequests(row, running, { connections, seconds: warmUpSeconds })
      for (const [stack, running] of all) {
        const before = nginxCpuMs(running)
        const result = await loadRequests(row, running, { connections, seconds: bench.seconds })
        const cpu = ((nginxCpuMs(running) - before) * 1000) / result.requests
        failures += result.failures
        report(row, stack, { cpu, perSecond: result.perSecond, p99: result.p99 })
        emptyLogs(running)
      }
    }
  } finally {
    for (const running of all.values()) await running.stop()
  }
  return failures
}

/** CPU time of nginx's workers since their start, in ms. Under a shell script, the app's processes are nginx's children too. */
export function nginxCpuMs(running: Running): number {
  const pids = childrenOf(running.nginxPid() ?? 0).filter(pid => commandOf(pid).startsWith('nginx: worker'))
  return pids.reduce((sum, pid) => sum + readFigures(pid).cpuMs, 0)
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
