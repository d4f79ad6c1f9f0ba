import type { JobState } from './record.ts'

/** Where the states of jobs are kept. */
export interface JobStore {
  /** State of a job; undefined if there is none, or a damaged one. */
  read(name: string): Promise<JobState | undefined>
  /**
   * Creates the state of a job that has none, at once and without waiting for the disk: a thousand jobs may be new. False if there is one. Absent
   * where only `update` can.
   */
  create?(name: string, state: JobState): boolean
  /** Replaces the state by what `change` returns, unless that is undefined. Meanwhile no other instance changes it. */
  update(name: string, change: (state: JobState | undefined) => JobState | undefined): Promise<void>
}
