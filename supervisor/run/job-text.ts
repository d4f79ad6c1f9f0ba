import { formatTable } from '../base/text-table.ts'
import type { JobRun } from '../programs/jobs/operations.ts'
import { formatJobs, timeIn } from '../programs/jobs/status.ts'
import type { Status } from './status.ts'

/** Response to `GET /jobs` as a text table. */
export function formatJobList(jobs: NonNullable<Status['jobs']>): string {
  return formatJobs(jobs) || 'no jobs\n'
}

/** Response to `GET /jobs/history` as a text table, the newest first. */
export function formatRuns(runs: readonly JobRun[]): string {
  if (runs.length === 0) return 'no runs yet\n'
  const rows = runs.map(({ job, timezone, startedAt, trigger, result, exit, durationMs, attempts, lastLines }) => [
    job,
    timeIn(timezone, startedAt),
    trigger,
    result ?? 'unfinished',
    durationMs === undefined ? '-' : `${(durationMs / 1000).toFixed(1)} s`,
    exit ?? '-',
    attempts === undefined ? '-' : String(attempts),
    lastLines?.at(-1)?.slice(0, 80) ?? '',
  ])
  return formatTable([['JOB', 'STARTED', 'TRIGGER', 'RESULT', 'TIME', 'EXIT', 'TRIES', 'LAST LINE'], ...rows])
}
