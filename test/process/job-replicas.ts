import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { JobPlan } from '../../supervisor/programs/jobs/plan.ts'
import type { JobState, RunRecord } from '../../supervisor/programs/jobs/record.ts'
import { plan } from '../unit/programs/jobs/jobs-setup.ts'
import { defer, fixture, temporaryFolder } from './monohull.ts'
import { startRedis } from './redis-server.ts'

const minuteMs = 60_000
/** A job that is due each minute is due each second. */
const pace = 60

/** Key in Redis of what is kept of a job. */
export const recordOf = (name: string) => `monohull:{state}:record:jobs/${name}`

export interface Replica {
  process: ChildProcess
  output(): string
  kill(): Promise<void>
}

/** Instances that share a job, which is due each second. Their clocks differ. Its runs are collected. */
export async function createReplicas(t: TestContext, given: Partial<JobPlan> = {}) {
  const redis = await startRedis(t)
  const folder = temporaryFolder(t)
  const done = join(folder, 'done')
  const command = ['sh', '-c', `echo run >> ${done}`]
  const jobs = [{ ...plan, schedule: '* * * * *', isShared: true, argv: command, ...given }]
  const from = Date.now()
  const runs = new Map<string, RunRecord>()
  const replicas: Replica[] = []
  const ended = new AbortController()

  /** What Redis has of the job; undefined while it has nothing, or does not respond. */
  async function readState(): Promise<JobState | undefined> {
    const text = await redis.cli('hget', recordOf('report'), 'value').catch(() => '')
    const state = text === '' ? undefined : (JSON.parse(text) as JobState)
    for (const run of state?.runs ?? []) runs.set(run.id, run)
    return state
  }

  async function collect(): Promise<void> {
    while (!ended.signal.aborted) {
      await readState()
      await pause(50)
    }
  }

  const collecting = collect()
  defer(t, () => {
    ended.abort()
    return collecting
  })
  const output = () => replicas.map(replica => replica.output()).join('\n')
  return {
    redis,
    runs,
    output,
    start(skewMs = 0): Replica {
      const replica = startReplica(t, { url: redis.store, skewMs, pace, from, jobs })
      replicas.push(replica)
      return replica
    },
    /** Whether no run goes on. */
    isIdle: async () => (await readState())?.runs.every(({ result }) => result !== undefined) === true,
    /** Times the command has run. */
    done: () => (existsSync(done) ? readFileSync(done, 'utf8').split('\n').length - 1 : 0),
    assertGapless: () => assertGapless([...runs.values()], output(), minuteMs),
  }
}

/** Fails unless each due time of the job `report` was run for, skipped or reported as missed, and none twice. The job is due each `periodMs`. */
export function assertGapless(runs: readonly RunRecord[], output: string, periodMs: number) {
  const at = (time: string) => Date.parse(time) / periodMs
  const ran = runs.filter(({ trigger }) => trigger === 'schedule').map(({ dueAt = '' }) => at(dueAt))
  const skipped = [...output.matchAll(/job skipped.* due=(\S+)/g)].map(([, due = '']) => at(due))
  const missed = [...output.matchAll(/job missed job=report runs=(\d+) last=(\S+)/g)].flatMap(([, count, last = '']) =>
    Array.from({ length: Number(count) }, (_, before) => at(last) - before),
  )
  const all = [...ran, ...skipped, ...missed].sort((one, other) => one - other)
  const first = all[0] ?? 0
  assert.deepEqual(
    all,
    all.map((_, index) => first + index),
    output,
  )
  return { ran: ran.length, skipped: skipped.length, missed: missed.length }
}

function startReplica(t: TestContext, given: object): Replica {
  const argv = ['--import', 'tsx', fixture('../job-replica.ts'), JSON.stringify(given)]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', data => {
    text += data
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  defer(t, kill)
  return { process: child, output: () => text, kill }
}
