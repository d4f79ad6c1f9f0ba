import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { Measure } from '../bench.ts'
import type { RedisFigures } from '../cluster/redis.ts'
import { type ClusterWorld, startCluster } from '../cluster/world.ts'
import { describeMedian } from '../median.ts'
import { markdownTable } from '../table.ts'

/** Time between two changes that all replicas follow: far more often than in production. */
const betweenMs = 5000
const eachSecond = '* * * * * *'
/** Rest after a scenario, in which what it began ends. */
const settleMs = 3000

/** Traffic beside the signs of life. Settles at the end of the time, with the times in ms in which changes reached every replica. */
interface Scenario {
  name: string
  run(world: ClusterWorld, untilMs: number): Promise<number[]>
}

const scenarios: readonly Scenario[] = [
  { name: 'at rest', run: (_, untilMs) => waitUntil(untilMs).then(() => []) },
  {
    name: 'a job each second, which every replica claims',
    async run({ replicas }, untilMs) {
      await Promise.all(replicas.map(replica => replica.setJob(eachSecond)))
      await waitUntil(untilMs)
      await Promise.all(replicas.map(replica => replica.setJob(undefined)))
      return []
    },
  },
  {
    name: 'every replica asks at once whether the certificate is due, every 5 s',
    run: (world, untilMs) =>
      repeat(untilMs, () =>
        world.spread(
          () => Promise.all(world.replicas.map(replica => replica.checkRenewal().catch(() => {}))),
          'certificate',
        ),
      ),
  },
  {
    name: 'maintenance on or off, every 5 s',
    run(world, untilMs) {
      let turns = 0
      return repeat(untilMs, () => {
        const replica = world.replicas[turns++ % world.replicas.length]
        return world.spread(async () => replica?.setMaintenance(turns % 2 === 1), 'maintenance')
      })
    },
  },
]

/** Redis of a cluster of simulated replicas. */
export const cluster: Measure = {
  name: 'cluster',
  title: 'Redis with the shared state of simulated replicas',
  async run({ workspace, replicas: count, seconds, say }) {
    if (spawnSync('redis-server', ['--version']).error) return 'left out: redis-server is not installed'
    say(`cluster: ${count} replicas connect`)
    const world = await startCluster(workspace, count)
    const rows: string[][] = []
    const notes: string[] = []
    try {
      await pause(settleMs)
      world.complaints()
      for (const { name, run } of scenarios) {
        say(`cluster: ${name}`)
        await world.lockTimes()
        const own = process.cpuUsage()
        const before = world.redis.read()
        const spreads = await run(world, performance.now() + seconds * 4000)
        const after = world.redis.read()
        const { user, system } = process.cpuUsage(own)
        const locks = await world.lockTimes()
        const share = (user + system) / 10 / (after.at - before.at)
        rows.push([name, ...describe(before, after), ...describeLocks(locks), `${share.toFixed(0)} %`])
        if (spreads.length > 0) notes.push(`${name}: reached the last replica after ${describeMedian(spreads)} ms`)
        const complaints = world.complaints()
        if (complaints.length > 0)
          notes.push(
            `${name}: **not valid**, the simulation did not get enough CPU: ${complaints.length} warnings, such as ${complaints[0]}`,
          )
        await pause(settleMs)
      }
    } finally {
      await world.stop()
    }
    const redis = ['Redis CPU', 'commands/s', 'in, KB/s', 'out, KB/s', 'data and buffers, MB', 'RSS, MB']
    const head = ['', ...redis, 'lock, ms: median', '99 %', 'longest', 'CPU of the simulation']
    const about = `${count} replicas in one process, Redis ${world.redis.version} on TCP, ${seconds * 4} s each; % of one CPU.`
    return `${about}\n\n${markdownTable(head, rows)}\n\n${notes.map(note => `- ${note}`).join('\n')}`
  },
}

function describe(before: RedisFigures, after: RedisFigures): string[] {
  const ms = after.at - before.at
  const rate = (key: 'commands' | 'inBytes' | 'outBytes') => ((after[key] - before[key]) / ms) * 1000
  return [
    `${(((after.cpuMs - before.cpuMs) / ms) * 100).toFixed(1)} %`,
    rate('commands').toFixed(0),
    (rate('inBytes') / 1024).toFixed(0),
    (rate('outBytes') / 1024).toFixed(0),
    after.usedMb.toFixed(0),
    after.rssMb.toFixed(0),
  ]
}

function describeLocks(times: readonly number[]): string[] {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return [0.5, 0.99, 1].map(part => at(part)?.toFixed(1) ?? '–')
}

async function waitUntil(untilMs: number): Promise<void> {
  await pause(Math.max(0, untilMs - performance.now()))
}

async function repeat(untilMs: number, act: () => Promise<number>): Promise<number[]> {
  const found: number[] = []
  while (performance.now() < untilMs) {
    const next = performance.now() + betweenMs
    found.push(await act())
    await waitUntil(Math.min(next, untilMs))
  }
  return found
}
