import assert from 'node:assert/strict'
import { createLog } from '../../../supervisor/base/log.ts'
import type { RollResult } from '../../../supervisor/base/roll-result.ts'
import type { Death } from '../../../supervisor/processes/death.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'
import type { WorkerPlan } from '../../../supervisor/workers/plan.ts'
import { createWorkerPool, type WorkerPool, type WorkerPoolDeps } from '../../../supervisor/workers/pool.ts'
import { createHandClock, type HandClock } from '../hand-clock.ts'
import { createRefusingSystem, type FakeChild, type RefusingSystem } from '../refusing-system.ts'

export const appPlan: WorkerPlan = {
  app: 'app',
  argv: ['node', 'app.js'],
  argvFor: () => ['node', 'app.js'],
  directory: '/',
  uid: undefined,
  gid: undefined,
  count: 2,
  entries: 4,
  limits: undefined,
  loadFrom: 'worker',
  listen: 'inherit',
  watchesItself: false,
  stopsFirst: false,
  surge: 1,
  recycle: { maxRequests: 0, maxRequestsJitter: 0, maxMemoryBytes: 0, maxAgeMs: 0 },
  env: () => ({}),
  bootTimeoutMs: 30_000,
  timeoutMs: 0,
  health: undefined,
  stopSignal: 'SIGTERM',
  gracefulTimeoutMs: 1000,
  minUptimeMs: 1000,
  afterFailure: 'retry',
  backoff: { initialMs: 100, maxMs: 1000 },
}

export interface FaultyPool extends RefusingSystem, Pick<HandClock, 'advance' | 'waiting'> {
  pool: WorkerPool
  lines: string[]
  deaths: Death[]
  /** States of the slots. */
  states(): string[]
  /** Has every worker that boots say that it is ready. */
  ready(): Promise<void>
  /** The worker that serves or boots in a slot. */
  worker(slot: number): FakeChild
  /** A started pool whose workers are ready. */
  serve(): Promise<void>
}

/** A pool on a system that refuses what a test says. */
export function createFaultyPool(
  change: Partial<WorkerPlan> = {},
  deps: Partial<Pick<WorkerPoolDeps, 'onRotation' | 'memoryOf' | 'portsOf' | 'probe'>> = {},
): FaultyPool {
  const system = createRefusingSystem()
  const { clock, advance, waiting } = createHandClock()
  const lines: string[] = []
  const deaths: Death[] = []
  const told = new Set<FakeChild>()
  const pool = createWorkerPool(
    {
      clock,
      spawn: system.spawn,
      sockets: system.sockets,
      random: () => 0,
      log: createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) }),
      runDir: '/run',
      probe: { responds: async () => true, respondsToGet: async () => true },
      portsOf: () => [],
      ownerOf: () => undefined,
      readStack: async () => [],
      memoryOf: () => new Map(),
      oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
      inFlight: { of: async () => [] },
      failedTries: { exited: () => ({ refused: async () => [] }) },
      onRotation: async () => {},
      onWorkerEvent() {},
      onDeath(death) {
        deaths.push(death)
        return false
      },
      ...deps,
    },
    { ...appPlan, ...change },
  )

  async function ready(): Promise<void> {
    await advance(0)
    for (const child of system.alive()) if (!told.has(child)) child.notify('READY', '1')
    for (const child of system.alive()) told.add(child)
    await advance(0)
  }

  return {
    ...system,
    pool,
    lines,
    deaths,
    advance,
    waiting,
    ready,
    states: () => pool.status().map(({ state }) => state),
    worker(slot) {
      const { pid } = pool.status().find(({ slot: number }) => number === slot) ?? {}
      const child = system.children.find(candidate => candidate.pid === pid)
      if (!child) throw new Error(`no worker runs in slot ${slot}`)
      return child
    },
    async serve() {
      void pool.start()
      await ready()
      await advance(2000)
    },
  }
}

/** Result of a roll after `ms` have passed. Fails if the roll has not ended by then. */
export async function outcome({ advance }: FaultyPool, rolling: Promise<RollResult>, ms: number): Promise<RollResult> {
  let result: RollResult | undefined
  void rolling.then(known => {
    result = known
  })
  await advance(ms)
  assert.ok(result, 'it has not ended')
  return result
}

/** Fails unless the roll failed for the reason. */
export function assertFailed(result: RollResult, reason: RegExp): void {
  assert.equal(result.ok, false)
  if (!result.ok) assert.match(result.reason, reason)
}
