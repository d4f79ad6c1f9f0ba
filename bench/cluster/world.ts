import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { Output } from '../../supervisor/logs/adapters/output.ts'
import type { Workspace } from '../workspace.ts'
import { type ClusterRedis, startClusterRedis } from './redis.ts'
import { createQuietLog, openReplica, type Replica } from './replica.ts'

/** Replicas that connect at the same time at the start. */
const batch = 50
const readyMs = 120_000
const pollMs = 50

/** Simulated replicas with one Redis. */
export interface ClusterWorld {
  redis: ClusterRedis
  replicas: readonly Replica[]
  /** Times that one lock took since the last call, in ms. */
  lockTimes(): Promise<number[]>
  /** Calls `change`, and settles with the time in ms until it has reached every replica. */
  spread(change: () => Promise<unknown>, what: 'maintenance' | 'certificate'): Promise<number>
  /** Warnings and errors of the replicas since the last call. */
  complaints(): string[]
  stop(): Promise<void>
}

/** Starts Redis and this number of replicas in this process, and a process that measures locks. */
export async function startCluster(workspace: Workspace, count: number): Promise<ClusterWorld> {
  const redis = await startClusterRedis(workspace)
  let lines: string[] = []
  const log = createQuietLog(line => void lines.push(line.trim()))
  const output: Output = { write() {}, full: () => undefined, end: async () => true }
  const waiting: Record<'maintenance' | 'certificate', Set<number>> = { maintenance: new Set(), certificate: new Set() }
  const replicas: Replica[] = []
  while (replicas.length < count) {
    const first = replicas.length
    for (let number = first; number < Math.min(first + batch, count); number++)
      replicas.push(
        openReplica(redis.url, number, {
          ...{ log, output },
          onMaintenance: () => void waiting.maintenance.delete(number),
          onCertificate: () => void waiting.certificate.delete(number),
        }),
      )
    await within(() => replicas.slice(first).every(({ state }) => state.problem() === undefined), 'the connections')
  }
  const probe = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), new URL('lock-probe.ts', import.meta.url).pathname, redis.url],
    { stdio: ['pipe', 'pipe', 'inherit'], cwd: workspace.dir },
  )
  const answers = createInterface({ input: probe.stdout })
  return {
    redis,
    replicas,
    async lockTimes() {
      const answer = once(answers, 'line')
      probe.stdin.write('\n')
      return JSON.parse((await answer)[0])
    },
    async spread(change, what) {
      const begun = performance.now()
      waiting[what] = new Set(replicas.keys())
      await change()
      await within(() => waiting[what].size === 0, `${what} everywhere`)
      return performance.now() - begun
    },
    complaints() {
      const found = lines
      lines = []
      return found
    },
    async stop() {
      await end(probe)
      await Promise.all(replicas.map(replica => replica.close()))
      redis.stop()
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.stdin?.end()
  await exited
}

async function within(isDone: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + readyMs
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${readyMs / 1000} s`)
    await pause(pollMs)
  }
}
