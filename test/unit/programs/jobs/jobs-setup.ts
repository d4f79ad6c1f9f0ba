import { randomUUID } from 'node:crypto'
import { offsetIn } from '../../../../supervisor/base/adapters/time-zone.ts'
import { createLog } from '../../../../supervisor/base/log.ts'
import type { FoundProcess } from '../../../../supervisor/processes/adapters/detached.ts'
import { createOomWatch } from '../../../../supervisor/processes/oom-watch.ts'
import type { JobPlan } from '../../../../supervisor/programs/jobs/plan.ts'
import type { JobState } from '../../../../supervisor/programs/jobs/record.ts'
import { createJobService, type JobService } from '../../../../supervisor/programs/jobs/service.ts'
import type { SharedJobs } from '../../../../supervisor/programs/jobs/sharing.ts'
import type { JobStore } from '../../../../supervisor/programs/jobs/store.ts'
import { createHandClock } from '../../hand-clock.ts'
import { createRefusingSystem, type FakeChild } from '../../refusing-system.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute

/** A minute before a job that is due at each quarter past. */
const begin = Date.parse('2026-12-01T03:14:00Z')

export const plan: JobPlan = {
  name: 'report',
  argv: ['report'],
  directory: '/',
  uid: undefined,
  gid: undefined,
  env: {},
  schedule: '15 * * * *',
  timezone: 'UTC',
  gracefulTimeoutMs: 8 * second,
  timeoutMs: 24 * hour,
  overlap: 'skip',
  retries: 0,
  backoff: { initialMs: 10 * second, maxMs: minute },
  jitterMs: 0,
  runsOnStart: false,
  catchesUp: false,
  deadlineMs: 24 * hour,
  isShared: false,
  onFailure: 'log',
  ping: {},
}

/** A store that several instances share, and that fails on demand. */
function createMemoryStore(): JobStore & {
  states: Map<string, JobState>
  refuse: Error | undefined
  /** Thrown once after the next change. */
  loss: Error | undefined
} {
  const states = new Map<string, JobState>()
  const store = {
    states,
    refuse: undefined as Error | undefined,
    loss: undefined as Error | undefined,
    read: async (name: string) => states.get(name),
    async update(name: string, change: (state: JobState | undefined) => JobState | undefined) {
      if (store.refuse) throw store.refuse
      const next = change(states.get(name))
      if (next) states.set(name, structuredClone(next))
      const { loss } = store
      store.loss = undefined
      if (loss) throw loss
    },
  }
  return store
}

export interface World {
  store: ReturnType<typeof createMemoryStore>
  hand: ReturnType<typeof createHandClock>
  /** What the clock of the system is ahead of the time that passes, in ms. */
  offset: { ms: number }
}

export function createWorld(): World {
  return { store: createMemoryStore(), hand: createHandClock(), offset: { ms: begin } }
}

/** Process in a session of its own, and the signal at which it ends; undefined once it has ended. */
type Leftover = FoundProcess & { endsAt: NodeJS.Signals | undefined }

export interface Instance {
  service: JobService
  lines: string[]
  pings: string[]
  codes: number[]
  /** Processes that runs have left behind. */
  leftovers: Leftover[]
  /** Signals that these got. */
  signals: string[]
  /** Children that run now. */
  alive(): FakeChild[]
  children: FakeChild[]
  refuse: ReturnType<typeof createRefusingSystem>['refuse']
}

/** An instance with these jobs in a world. */
export function createInstance(
  world: World,
  plans: readonly JobPlan[],
  given: Partial<{
    owner: string
    areJobsOff: boolean
    random: number
    shared: SharedJobs
    leftovers: Leftover[]
  }> = {},
): Instance {
  const { hand, offset, store } = world
  const { owner = 'one', areJobsOff = false, random = 0, shared, leftovers = [] } = given
  const system = createRefusingSystem()
  const lines: string[] = []
  const pings: string[] = []
  const codes: number[] = []
  const signals: string[] = []
  const clock = { ...hand.clock, now: () => hand.clock.now() + offset.ms }
  const service = createJobService(
    {
      clock,
      log: createLog({ format: 'text', level: 'info', now: clock.now, write: line => void lines.push(line) }),
      random: () => random,
      spawn: system.spawn,
      oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
      store,
      owner,
      shared,
      leftovers: {
        find: () => leftovers.filter(({ endsAt }) => endsAt !== undefined),
        signal(one, signal) {
          const found = leftovers.find(({ pid }) => pid === one.pid)
          signals.push(`${signal} ${one.pid}`)
          if (found?.endsAt === signal) found.endsAt = undefined
        },
      },
      newId: randomUUID,
      offsetIn,
      async ping(url) {
        pings.push(url)
      },
      endRun: ({ onFailure }, code) => void (onFailure === 'exit' && codes.push(code)),
    },
    { jobs: plans, areJobsOff },
  )
  const { children, alive, refuse } = system
  return { service, lines, pings, codes, leftovers, signals, children, alive: () => alive(), refuse }
}

/** An instance that has started. */
export async function startInstance(...given: Parameters<typeof createInstance>): Promise<Instance> {
  const instance = createInstance(...given)
  await instance.service.start()
  return instance
}

/** Results in the history of a job, the oldest first. */
export async function historyOf({ service }: Instance, name = 'report'): Promise<string[]> {
  const runs = await service.operations.history(name)
  return runs.map(({ trigger, result }) => `${trigger} ${result}`).reverse()
}
