import { messageOf, reasonOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Job } from './job.ts'
import { scheduleText } from './plan.ts'
import { type JobState, stateFrom } from './record.ts'
import type { JobStore } from './store.ts'

/** States of jobs, one change after the other. */
export interface Journal {
  /** Creates what is kept of a job. False if there is something, or if it cannot be created: `change` tells which. */
  create(job: Job, state: JobState): boolean
  /**
   * Applies a change to what is kept of a job, unless it returns undefined. A failure is logged. False: the change was not applied; elsewhere a
   * failure does not keep a job from running.
   */
  change(job: Job, change: (state: JobState) => JobState | undefined): Promise<boolean>
  /** What is kept of a job. Throws if it cannot be read. */
  read(name: string): Promise<JobState | undefined>
}

/** Dependencies of the journal. */
export interface JournalDeps extends Pick<Runtime, 'log'> {
  store: JobStore
  /** Whether the store is the shared state, without which no job may run. */
  isShared: boolean
}

/** Journal in a store. */
export function createJournal({ store, log, isShared }: JournalDeps): Journal {
  function report(job: Job, error: unknown): void {
    const problem = messageOf(error)
    if (job.problem === undefined)
      log.error('cannot record the runs of a job', { job: job.plan.name, reason: reasonOf(error) })
    job.problem = problem
  }

  /** What is kept, under the present schedule. Instances with the old and the new one share their state while they are replaced. */
  function knownOf(job: Job, state: JobState | undefined): JobState {
    const schedule = scheduleText(job.plan)
    if (isShared && state) return { ...state, schedule }
    const known = stateFrom(state, schedule, 0)
    return state ? known : { ...known, isPaused: job.isPaused }
  }

  return {
    create(job, state) {
      try {
        return store.create?.(job.plan.name, state) ?? false
      } catch {
        return false
      }
    },
    read: store.read,
    async change(job, change) {
      const { plan } = job
      let isApplied = false
      const apply = (state: JobState | undefined) => {
        isApplied = true
        return change(knownOf(job, state))
      }
      try {
        await store.update(plan.name, apply)
        if (job.problem !== undefined) log.info('the runs of a job are recorded again', { job: plan.name })
        job.problem = undefined
        return true
      } catch (error) {
        if (!isApplied && !isShared) apply(undefined)
        report(job, error)
        return !isShared
      }
    },
  }
}
