import type { Bench, Measure } from '../bench.ts'
import { startClient } from '../client/client.ts'
import { countFailures } from '../client/tally.ts'
import { load } from '../load.ts'
import { describeMedian, median, ratios } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { childrenOf } from '../processes.ts'
import { fpmStack, monohullPhp, phpProcesses } from '../stacks/php.ts'
import { origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'
import { emptyLogs, nginxCpuMs } from './throughput.ts'

const connections = 32
const warmUpSeconds = 2
/** Least ratio of requests per second. */
const atLeast = 0.97
const rollCount = 20
const controlSeconds = 8
const rollConnections = { GET: 8, POST: 8 }
const rollDeadlineSeconds = 180
/** Requests between two rolls. */
const betweenRolls = 100

const pages = [
  { name: 'hello world', path: '/' },
  { name: 'page of 50 KB', path: '/page.php' },
]

interface Sample {
  perSecond: number
  /** CPU time of nginx's workers per request, in µs. */
  nginx: number
  /** CPU time of PHP-FPM per request, in µs. */
  php: number
}

/** PHP behind Monohull and behind hand-written configurations: requests, CPU, and rolls. */
export const php: Measure = {
  name: 'php',
  title: `PHP: ${phpProcesses} processes of PHP-FPM, ${connections} connections; ${rollCount} rolls`,
  async run(bench) {
    const stacks = [...bench.builds.map(monohullPhp), fpmStack(bench.workspace)]
    const requests = await measureRequests(bench, stacks)
    const rolls: string[][] = []
    for (const stack of [...stacks, fpmStack(bench.workspace, controlSeconds)]) {
      bench.say(`php: ${rollCount} rolls of ${stack.name}`)
      rolls.push([stack.name, ...(await measureRolls(stack))])
    }
    return `${requests}\n\n${markdownTable(['20 rolls', 'requests', 'failed GETs', 'failed POSTs', 'sent again'], rolls)}\n\n${explanation}`
  },
}

const explanation = `GETs return at once, POSTs after 20 ms. Monohull rolls by \`restart\`, PHP-FPM by USR2. A page of WordPress is not measured: its packages, MariaDB and php-mysql would have to be
installed here, and its time is that of PHP and the database on both sides.`

async function measureRequests(bench: Bench, stacks: readonly Stack[]): Promise<string> {
  const { rounds, seconds, say } = bench
  const samples = pages.map(() => stacks.map((): Sample[] => []))
  const all: Running[] = []
  let failures = 0
  try {
    for (const stack of stacks) all.push(await stack.start())
    for (const running of all) await untilServing(running, `${origins(running).https}/`)
    for (let round = 1; round <= rounds; round++) {
      say(`php: round ${round} of ${rounds}`)
      for (const [row, { path }] of pages.entries()) {
        const order = [...all.entries()]
        for (const [side, running] of round % 2 === 0 ? order.toReversed() : order) {
          const options = {
            url: `${origins(running).http}${path}`,
            method: 'GET' as const,
            connections,
            dir: running.dir,
          }
          await load({ ...options, seconds: warmUpSeconds })
          const before = cpuOf(running)
          const { requests, perSecond, status, connect, read, write, timeout } = await load({ ...options, seconds })
          const after = cpuOf(running)
          failures += status + connect + read + write + timeout
          const each = (key: keyof typeof before) => ((after[key] - before[key]) * 1000) / requests
          samples[row]?.[side]?.push({ perSecond, nginx: each('nginx'), php: each('php') })
          emptyLogs(running)
        }
      }
    }
  } finally {
    await Promise.all(all.map(running => running.stop()))
  }
  const base = stacks.length - 1
  const rows = pages.flatMap(({ name }, row) =>
    stacks.map((stack, side) => [
      `${name}, ${stack.name}`,
      ...describe(samples[row]?.[side], samples[row]?.[base], side < base),
    ]),
  )
  const head = ['', 'req/s', `ratio (target ≥ ${atLeast})`, 'CPU of nginx, µs', 'CPU of PHP-FPM, µs', 'CPU ratio, both']
  return `${markdownTable(head, rows)}\n\nFailed requests in all runs: ${failures}.`
}

function describe(own: readonly Sample[] = [], base: readonly Sample[] = [], isCompared: boolean): string[] {
  const of = (taken: readonly Sample[], pick: (sample: Sample) => number) => taken.map(pick)
  const perSecond = ({ perSecond: value }: Sample) => value
  const whole = ({ nginx, php: fpm }: Sample) => nginx + fpm
  const share = ratios(of(own, perSecond), of(base, perSecond))
  return [
    describeMedian(of(own, perSecond)),
    isCompared
      ? `${describeMedian(share, 3)}: ${share.length > 0 && median(share) >= atLeast ? 'met' : '**missed**'}`
      : '–',
    describeMedian(
      of(own, ({ nginx }) => nginx),
      1,
    ),
    describeMedian(
      of(own, ({ php: fpm }) => fpm),
      1,
    ),
    isCompared ? describeMedian(ratios(of(own, whole), of(base, whole)), 3) : '–',
  ]
}

/** CPU time of nginx's workers and of PHP-FPM since their start, in ms. */
function cpuOf(running: Running): { nginx: number; php: number } {
  const processes = running.workerPids().flatMap(pid => [pid, ...childrenOf(pid)])
  return { nginx: nginxCpuMs(running), php: processes.reduce((sum, pid) => sum + cpuMsOf(pid), 0) }
}

function cpuMsOf(pid: number): number {
  try {
    return readFigures(pid).cpuMs
  } catch {
    return 0 // it has ended
  }
}

async function measureRolls(stack: Stack): Promise<string[]> {
  const running = await stack.start()
  try {
    await untilServing(running, `${origins(running).http}/`)
    const client = startClient({ port: running.httpPort, connections: rollConnections, seconds: rollDeadlineSeconds })
    let done = 0
    for (; done < rollCount; done++) {
      await client.untilCompleted(client.completed() + betweenRolls)
      const result = await running.control?.roll()
      if (!result?.isDone) throw new Error(`${stack.name}: ${result?.detail}`)
    }
    await client.untilCompleted(client.completed() + betweenRolls)
    const tally = await client.stop()
    const kinds = (method: 'GET' | 'POST') =>
      Object.entries(tally.failures[method]).map(([kind, count]) => `${count} ${kind}`)
    const cell = (method: 'GET' | 'POST') => [String(countFailures(tally, method)), ...kinds(method)].join(': ')
    return [String(tally.requests.GET + tally.requests.POST), cell('GET'), cell('POST'), String(tally.retried)]
  } finally {
    await running.stop()
  }
}
