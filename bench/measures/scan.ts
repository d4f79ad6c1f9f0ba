import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Measure } from '../bench.ts'
import { type LoadResult, load } from '../load.ts'
import { bodyOf, configOf, hostOf, requestsFor, routesTo } from '../routes/hosts.ts'
import { memoryOf } from '../routes/size.ts'
import { findMissing, type Redis, startRedis, startTargets } from '../stacks/routed.ts'
import { origins, type Running, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const real = 10_000
const unknown = 1_000_000_000
const scanSeconds = 60
const sampleMs = 500
/** Connections of the visitors, and of those who scan. */
const connections = { real: 16, scan: 64 }

/** Scan of random hosts while others visit real ones. */
export const scan: Measure = {
  name: 'scan',
  title: `A scan of random hosts for ${scanSeconds} s, beside visits of ${real.toLocaleString('en')} real ones in Redis`,
  async run(bench) {
    const missing = findMissing()
    if (missing.length > 0) return `left out, not available here: ${missing.join(', ')}`
    const targets = await startTargets(bench.workspace)
    const redis = await startRedis(bench.workspace)
    try {
      redis.fill(routesTo(`127.0.0.1:${targets.first}`, real))
      const config = configOf(targets.first, `unix:${redis.socket}`)
      const running = await bench.monohull.start({ config })
      try {
        return await measureScan(bench, running, redis)
      } finally {
        await running.stop()
      }
    } finally {
      redis.stop()
      await targets.running.stop()
    }
  },
}

/** What happened during one phase. */
interface Phase {
  visits: LoadResult
  others: LoadResult | undefined
  /** Highest memory in MB. */
  supervisorMb: number
  nginxMb: number
  /** Hosts that Redis was asked about, each second: on average, and in the busiest half second. */
  askedPerSecond: number
  mostAskedPerSecond: number
}

async function measureScan(bench: Bench, running: Running, redis: Redis): Promise<string> {
  await untilServing(running, origins(running).http)
  while ((await bodyOf(running, hostOf(1))) !== 'first\n') await pause(20)
  // every real host is visited once before
  await visit(running, 'in order', 1, 10)
  const phases: [string, Phase][] = []
  for (const [name, hosts, seconds] of [
    ['visits alone', undefined, bench.seconds * 5],
    ['beside as many connections to one configured host', 'static', bench.seconds * 5],
    ['beside the scan', 'unknown', scanSeconds],
  ] as const) {
    bench.say(`scan: ${name}`)
    phases.push([name, await measurePhase(running, redis, hosts, seconds)])
  }
  const rows = phases.map(([name, phase]) => [
    name,
    ...[phase.visits.p99.toFixed(1), `${failuresOf(phase.visits)} of ${phase.visits.requests}`],
    phase.others ? `${phase.others.requests}` : '–',
    ...[phase.askedPerSecond, phase.mostAskedPerSecond, phase.supervisorMb, phase.nginxMb].map(number =>
      number.toFixed(0),
    ),
  ])
  const head = [
    '',
    'p99 of visits, ms',
    'failed visits',
    'other requests',
    'hosts asked per second',
    'at most',
    'supervisor, MB',
    'nginx, MB',
  ]
  return markdownTable(head, rows)
}

async function measurePhase(
  running: Running,
  redis: Redis,
  hosts: 'static' | 'unknown' | undefined,
  seconds: number,
): Promise<Phase> {
  const ending = new AbortController()
  const sampling = sample(running, redis, ending.signal)
  const [visits, others] = await Promise.all([
    visit(running, 'random', connections.real, seconds),
    hosts && visit(running, hosts, connections.scan, seconds),
  ])
  ending.abort()
  return { visits, others, ...(await sampling) }
}

async function sample(running: Running, redis: Redis, ending: AbortSignal) {
  const highest = { supervisorMb: 0, nginxMb: 0, mostAskedPerSecond: 0 }
  const [startedAt, before] = [performance.now(), redis.callsOf('getrange')]
  let [lastAt, last] = [startedAt, before]
  while (!ending.aborted) {
    await pause(sampleMs)
    const [supervisorMb, nginxMb] = memoryOf(running)
    const [now, asked] = [performance.now(), redis.callsOf('getrange')]
    highest.supervisorMb = Math.max(highest.supervisorMb, supervisorMb)
    highest.nginxMb = Math.max(highest.nginxMb, nginxMb)
    highest.mostAskedPerSecond = Math.max(highest.mostAskedPerSecond, ((asked - last) * 1000) / (now - lastAt))
    ;[lastAt, last] = [now, asked]
  }
  return { ...highest, askedPerSecond: ((last - before) * 1000) / (lastAt - startedAt) }
}

function visit(running: Running, hosts: Parameters<typeof requestsFor>[0], count: number, seconds: number) {
  const lua = requestsFor(hosts, hosts === 'unknown' ? unknown : real)
  // each load has a script of its own
  const dir = join(running.dir, hosts)
  mkdirSync(dir, { recursive: true })
  return load({ url: `${origins(running).http}/`, method: 'GET', connections: count, seconds, dir, lua })
}

function failuresOf({ status, connect, read, write, timeout }: LoadResult): number {
  return status + connect + read + write + timeout
}
