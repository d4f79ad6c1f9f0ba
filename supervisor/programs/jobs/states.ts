import type { Runtime } from '../../base/runtime.ts'
import { countFrom, type Job } from './job.ts'
import type { Journal } from './journal.ts'
import { scheduleText } from './plan.ts'
import { isoTime, type JobState, seenUntil, stateFrom, withoutUnfinished } from './record.ts'

/** States of jobs as previous instances left them. */
export interface JobStates {
  /** Gives a job what is kept of it. Runs of a previous instance here that have no end are recorded as lost. */
  load(job: Job, options: { isOff: boolean }): Promise<void>
  /** Makes the schedule of a job count from now on. */
  beginFrom(job: Job, options: { isOff: boolean }): Promise<void>
}

/** Dependencies of `openStates`. */
export interface JobStatesDeps extends Pick<Runtime, 'clock' | 'log'> {
  journal: Journal
  /** Instance whose unfinished runs are over. */
  owner: string
}

/** States in a journal. */
export function openStates({ clock, log, journal, owner }: JobStatesDeps): JobStates {
  function recover(job: Job, found: JobState): JobState {
    const { state, lost } = withoutUnfinished(found, owner)
    for (const { startedAt } of lost)
      log.error('job was cut off when Monohull was killed', { job: job.plan.name, started: startedAt })
    return state
  }

  return {
    async load(job, { isOff }) {
      const text = scheduleText(job.plan)
      const now = clock.now()
      const found = await journal.read(job.plan.name).catch(() => undefined)
      const isKnown = found?.schedule === text
      const known = stateFrom(found, text, now)
      const hasUnfinished = known.runs.some(run => run.owner === owner && run.result === undefined)
      if ((!isKnown && !isOff) || hasUnfinished)
        await journal.change(job, state => {
          const recovered = recover(job, state)
          return isKnown || isOff ? recovered : { ...recovered, seenAt: isoTime(now) }
        })
      job.isPaused = known.isPaused
      job.lastSuccessAt = known.lastSuccessAt
      const last = known.runs.findLast(run => run.result !== undefined || run.owner === owner)
      job.last = last && { result: 'lost', ...last, lastLines: [] }
      countFrom(job, seenUntil(known, now))
    },
    async beginFrom(job, { isOff }) {
      countFrom(job, clock.now())
      if (!isOff) await journal.change(job, state => ({ ...state, seenAt: isoTime(job.seen) }))
    },
  }
}
