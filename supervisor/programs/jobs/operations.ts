import type { Outcome } from '../../base/outcome.ts'
import type { RunRecord } from './record.ts'
import type { JobStatus } from './status.ts'

/** Outcome of a command about a job, with the exit code of the job if it was waited for. */
export type JobOutcome = Outcome & { code?: number }

/** A run in the history, with the name of its job and the time zone of its schedule. */
export type JobRun = RunRecord & { job: string; timezone: string }

/** What can be done with jobs on request. */
export interface JobOperations {
  list(): JobStatus[]
  /** The last runs of a job, or of all, the newest first, at most 50. Throws if there is no such job, or the history cannot be read. */
  history(name: string | undefined): Promise<JobRun[]>
  /** Runs a job now, even if it is paused. Settles when it has begun; with `waits`, when it has ended. */
  run(name: string, options: { waits: boolean }): Promise<JobOutcome>
  pause(name: string): Promise<JobOutcome>
  resume(name: string): Promise<JobOutcome>
}
