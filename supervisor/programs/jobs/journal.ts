import { messageOf, reasonOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Job } from './job.ts'
import { scheduleText } from './plan.ts'
import { type JobState, stateFrom } from './record.ts'
import type { JobStore } from './store.ts'

/** States of jobs, one change after the other. */
export interface Journal {
  /** Applies a change to what is kept of a job, unless it returns undefined. A failure is logged, and does not keep a job from running. */
  change(job: Job, change: (state: JobState) => JobState | undefined): Promise<void>
  /** What is kept of a job. Throws if it cannot be read. */
  read(name: string): Promise<JobState | undefined>
}

/** Journal in a store. */
export function createJournal({ store, log }: Pick<Runtime, 'log'> & { store: JobStore }): Journal {
  function report(job: Job, error: unknown): void {
    const problem = messageOf(error)
    if (job.problem === undefined)
      log.error('cannot record the runs of a job', { job: job.plan.name, reason: reasonOf(error) })
    job.problem = problem
  }

  return {
    read: store.read,
    async change(job, change) {
      const { plan } = job
      let isApplied = false
      const apply = (state: JobState | undefined) => {
        isApplied = true
        const known = stateFrom(state, scheduleText(plan), 0)
        return change(state ? known : { ...known, isPaused: job.isPaused })
      }
      try {
        await store.update(plan.name, apply)
        if (job.problem !== undefined) log.info('the runs of a job are recorded again', { job: plan.name })
        job.problem = undefined
      } catch (error) {
        if (!isApplied) apply(undefined)
        report(job, error)
      }
    },
  }
}
