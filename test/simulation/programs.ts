import type { WorkerPlan } from '../../supervisor/workers/plan.ts'
import type { Random } from './random.ts'
import { type Fate, killedOutside } from './system.ts'

/** Time that every worker gets to drain. */
export const gracefulTimeoutMs = 800

/** Whether a program serves well in calm times. */
export function isGood(program: string | undefined): boolean {
  return program === 'good' || program === 'better'
}

/** What a program does, by its name. `broken` never becomes ready, `dying` dies soon after. In calm times the good ones have no faults. */
export function fateOf(random: Random, program: string, isCalm: boolean): Fate {
  const hasTrouble = isGood(program) ? !isCalm && random.chance(0.2) : true
  const readyAfterMs = random.between(1, 600)
  const fate: Fate = {
    readyAfterMs,
    notifies: program !== 'better',
    endsAfterMs: undefined,
    end: random.pick<Fate['end']>([{ kind: 'code', code: 1 }, { kind: 'code', code: 0 }, killedOutside]),
    drainsForMs: random.pick([0, 5, random.between(0, 2000), undefined]),
    remnantMs: random.chance(0.1) ? random.between(1, 3000) : 0,
  }
  if (!hasTrouble) return fate
  if (program === 'dying')
    return { ...fate, endsAfterMs: readyAfterMs + random.between(1, 900), end: { kind: 'code', code: 1 } }
  if (program === 'broken' || random.chance(0.5)) {
    return random.chance(0.3)
      ? { ...fate, readyAfterMs: undefined }
      : { ...fate, readyAfterMs: undefined, endsAfterMs: random.between(0, 500) }
  }
  return { ...fate, endsAfterMs: readyAfterMs + random.between(0, 4000) }
}

/** Plan for workers that run a program. */
export function planOf(random: Random, program: string): WorkerPlan {
  const count = random.between(1, 4)
  const argv = [program]
  return {
    app: 'app',
    argv,
    argvFor: () => argv,
    directory: '/',
    uid: undefined,
    gid: undefined,
    count,
    entries: random.pick([4, 8]),
    limits: undefined,
    loadFrom: 'worker',
    listen: 'inherit',
    watchesItself: false,
    stopsFirst: false,
    surge: random.between(1, 2),
    recycle: { maxRequests: 0, maxRequestsJitter: 0, maxMemoryBytes: 0, maxAgeMs: random.pick([0, 0, 3000]) },
    env: () => ({}),
    bootTimeoutMs: 1500,
    timeoutMs: 0,
    health: undefined,
    stopSignal: 'SIGTERM',
    gracefulTimeoutMs,
    minUptimeMs: 1000,
    afterFailure: 'retry',
    backoff: { initialMs: 100, maxMs: 1000 },
  }
}
