import type { BackoffPolicy } from '../../base/backoff.ts'
import type { ProgramEnv } from '../../processes/environment.ts'
import type { ProgramPlan } from '../plan.ts'
import type { JobConfig } from './keys.ts'

/** A command that runs at times, and its context on this machine. Times in ms. */
export interface JobPlan extends ProgramPlan {
  env: Readonly<ProgramEnv>
  /** Cron expression. */
  schedule: string
  /** Name of the time zone of the schedule. */
  timezone: string
  timeoutMs: number
  overlap: JobConfig['overlap']
  /** Further attempts after a failed one. */
  retries: number
  backoff: BackoffPolicy
  jitterMs: number
  runsOnStart: boolean
  catchesUp: boolean
  deadlineMs: number
  /** Whether each run is for one of all instances that share their state. */
  isShared: boolean
  onFailure: JobConfig['on_failure']
  ping: { success?: string | undefined; failure?: string | undefined }
}

/** Jobs of a configuration. */
export interface JobSettings {
  jobs: readonly JobPlan[]
  /** Whether they only run on request (MONOHULL_JOBS=off). */
  areJobsOff: boolean
}

/** Schedule as one text; another one begins from now on. */
export function scheduleText({ schedule, timezone }: Pick<JobPlan, 'schedule' | 'timezone'>): string {
  return `${schedule} ${timezone}`
}
