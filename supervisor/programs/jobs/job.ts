import type { Attempts, RunEnd } from './attempts.ts'
import type { JobPlan } from './plan.ts'
import type { RunRecord, RunResult, Trigger } from './record.ts'
import { type DueTimes, dueTimesIn, type Schedule } from './schedule.ts'

/** Delay after which a run is missed: its timer may be late, or the machine was suspended. */
const lateMs = 60_000

/** A job of a run: what it is, and where it stands. Plain data, because there may be a thousand. Instants in ms since the Unix epoch. */
export interface Job {
  plan: JobPlan
  schedule: Schedule
  /** Last due time that was dealt with, or the time from which on the schedule counts. */
  seen: number
  /** Next due time. */
  next: number
  isPaused: boolean
  /** Whether it is no longer configured, and only its present run remains. */
  isRetired: boolean
  current: CurrentRun | undefined
  /** Run that follows the current one. */
  queued: RunRequest | undefined
  /** What cancels runs that wait for their jitter. */
  jitters: Set<() => void> | undefined
  /** Settles when the last change of its state is written. */
  turn: Promise<unknown>
  /** Instant before which this schedule was not known to be that of other instances, so that it has missed nothing. */
  since: number
  /** Id of the last run that was started here. */
  begun: string | undefined
  /** Ends of runs that the shared state has not yet. */
  unwritten: RunRecord[]
  /** Run of another instance that has not ended, as the shared state has it. */
  elsewhere: RunRecord | undefined
  /** Last due time that the shared state is known to have had, even if it has lost it since. */
  dealtWith: number
  /** Last run that has ended. */
  last: RunRecord | undefined
  lastSuccessAt: string | undefined
  results: Readonly<Partial<Record<RunResult, number>>>
  missed: number
  skipped: number
  /** Why its state cannot be written. */
  problem: string | undefined
}

/** Run that goes on. */
export interface CurrentRun {
  record: RunRecord
  attempts: Attempts
  /** Settles when its end is recorded. */
  settled: Promise<unknown>
}

/** Wish for a run. */
export interface RunRequest {
  trigger: Trigger
  dueAt?: number
  /** Whether the due time is recorded as dealt with. */
  isClaimed?: boolean
  /** Called at its end; undefined: it did not begin, because Monohull stops or the job was removed. */
  onEnd?: ((end: RunEnd | undefined) => void) | undefined
}

// shared by a thousand jobs
const noResults = {}
const settled = Promise.resolve()

/** Job that begins at an instant. */
export function createJob(plan: JobPlan, schedule: Schedule, now: number): Job {
  return {
    plan,
    schedule,
    seen: now,
    next: schedule.next(now),
    isPaused: false,
    isRetired: false,
    current: undefined,
    queued: undefined,
    jitters: undefined,
    turn: settled,
    since: now,
    begun: undefined,
    unwritten: [],
    elsewhere: undefined,
    dealtWith: 0,
    last: undefined,
    lastSuccessAt: undefined,
    results: noResults,
    missed: 0,
    skipped: 0,
    problem: undefined,
  }
}

/** Runs one step after the other for each job. */
export function inTurn<T>(job: Job, step: () => Promise<T>): Promise<T> {
  const done = job.turn.then(step)
  job.turn = done.catch(() => {})
  return done
}

/** Makes the schedule count from an instant on. */
export function countFrom(job: Job, instant: number): void {
  job.seen = instant
  job.next = job.schedule.next(instant)
}

/** Whether it is too late to run for a due time. A shared job may wait elsewhere for its jitter. */
export function isLate({ plan }: Job, dueAt: number, now: number): boolean {
  return now - dueAt > lateMs + (plan.isShared ? plan.jitterMs : 0)
}

/** What is due at an instant. */
export interface Due {
  /** Time to run for. */
  runAt?: number
  missed?: DueTimes
}

/** Takes what is due at `now` from the schedule. What was due before `openedAt`, or is late, is missed. */
export function takeDue(job: Job, now: number, openedAt: number): Due {
  const { schedule, seen } = job
  const times = dueTimesIn(schedule, seen, now)
  if (!times) {
    job.next = schedule.next(Math.max(seen, now))
    return {}
  }
  const { last } = times
  job.seen = last
  job.next = schedule.next(now)
  if (isLate(job, last, now) || last <= openedAt) return { missed: times }
  const missed = times.count > 1 ? dueTimesIn(schedule, seen, last - 1) : undefined
  return { runAt: last, ...(missed ? { missed } : {}) }
}
