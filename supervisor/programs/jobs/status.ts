import { formatTable } from '../../base/text-table.ts'
import type { Job } from './job.ts'
import { isoTime, type RunRecord } from './record.ts'

/** One job in `monohull status` and `monohull jobs list`. Times are ISO 8601. */
export interface JobStatus {
  name: string
  schedule: string
  timezone: string
  /** off: MONOHULL_JOBS=off. retrying: its last attempt has failed. removed: no longer configured, it still runs. */
  state: 'waiting' | 'running' | 'retrying' | 'paused' | 'off' | 'removed'
  /** Whether it does not run by itself until it is resumed; its present run goes on. */
  isPaused: boolean
  pid: number | undefined
  /** Start of the present run. */
  runningSince: string | undefined
  /** Instance that runs it, if that is another one: its host name, run_dir and id. */
  runningOn?: string | undefined
  /** Whether each run is for one of all instances. */
  once?: 'cluster' | undefined
  /** Undefined unless it runs by itself. */
  nextAt: string | undefined
  last: Omit<RunRecord, 'id' | 'owner' | 'lastLines'> | undefined
  lastSuccessAt: string | undefined
  /** Since startup, as is `skipped`. */
  missed: number
  skipped: number
}

/** Status of a job. */
export function statusOf(job: Job, isOff: boolean): JobStatus {
  const { plan, current, elsewhere, last } = job
  const runsByItself = !isOff && !job.isPaused && !job.isRetired && Number.isFinite(job.next)
  return {
    name: plan.name,
    schedule: plan.schedule,
    timezone: plan.timezone,
    state: stateOf(job, isOff),
    isPaused: job.isPaused,
    pid: current?.attempts.pid(),
    runningSince: (current?.record ?? elsewhere)?.startedAt,
    ...(elsewhere && !current ? { runningOn: elsewhere.owner } : {}),
    ...(plan.isShared ? { once: 'cluster' as const } : {}),
    nextAt: runsByItself ? isoTime(job.next) : undefined,
    last: last && shownRun(last),
    lastSuccessAt: job.lastSuccessAt,
    missed: job.missed,
    skipped: job.skipped,
  }
}

function shownRun({ id: _id, owner: _owner, lastLines: _lines, ...shown }: RunRecord): JobStatus['last'] {
  return shown
}

function stateOf({ current, elsewhere, isRetired, isPaused }: Job, isOff: boolean): JobStatus['state'] {
  if (isRetired) return 'removed'
  if (current) return current.attempts.pid() === undefined ? 'retrying' : 'running'
  if (elsewhere) return 'running'
  if (isPaused) return 'paused'
  return isOff ? 'off' : 'waiting'
}

/** Jobs as a text table. */
export function formatJobs(jobs: readonly JobStatus[]): string {
  if (jobs.length === 0) return ''
  const rows = jobs.map(({ name, schedule, state, isPaused, nextAt, timezone, last, missed }) => [
    name,
    schedule,
    isPaused && state !== 'paused' ? `${state}, paused` : state,
    nextAt === undefined ? '-' : timeIn(timezone, nextAt),
    last ? `${last.result ?? 'unfinished'} ${timeIn(timezone, last.startedAt)}` : '-',
    missed > 0 ? String(missed) : '-',
  ])
  return formatTable([['JOB', 'SCHEDULE', 'STATE', 'NEXT', 'LAST', 'MISSED'], ...rows])
}

/** Time in a time zone, with the offset that holds then: `2026-12-01 04:00:00 GMT+1`. */
export function timeIn(timeZone: string, time: string | number): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const named = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'shortOffset' }).formatToParts(new Date(time))
  return `${format.format(new Date(time))} ${named.find(({ type }) => type === 'timeZoneName')?.value ?? ''}`
}
