import { countFrom, isLate, type Job } from './job.ts'
import type { Journal } from './journal.ts'
import { endLeftovers, type LeftoverDeps } from './leftovers.ts'
import { scheduleText } from './plan.ts'
import {
  isoTime,
  type JobState,
  type RunRecord,
  seenUntil,
  stateFrom,
  withEnd,
  withLost,
  withoutUnfinished,
} from './record.ts'

/** States of jobs as previous instances left them. */
export interface JobStates {
  /**
   * Gives a job what is kept of it. Runs of a previous instance here that have no end are recorded as lost. Settles with false if nothing was
   * kept: its schedule begins now.
   */
  load(job: Job, options: { isOff: boolean }): Promise<boolean>
  /**
   * Gives a job what the shared state has of it, and the shared state the ends of runs that it lacks. Rejects, or settles with false, while it is
   * unavailable.
   */
  sync(job: Job, options: { isOff: boolean }): Promise<boolean>
  /** Makes the schedule of a job count from now on. */
  beginFrom(job: Job, options: { isOff: boolean }): Promise<void>
}

/** Dependencies of `openStates`. */
export interface JobStatesDeps extends LeftoverDeps {
  journal: Journal
  /** Instance whose unfinished runs are over. */
  owner: string
  /** Starts a run that was claimed, but not known to be. */
  resume(job: Job, record: RunRecord): Promise<unknown>
}

/** States in a journal. */
export function openStates(deps: JobStatesDeps): JobStates {
  const { clock, log, journal, owner, resume } = deps

  /** Whether a claim whose reply was lost is for a run that can still start. */
  function canStart(job: Job, { dueAt }: RunRecord, now: number): boolean {
    return dueAt !== undefined && !job.current && !job.isRetired && !isLate(job, Date.parse(dueAt), now)
  }

  function isUnfinished(run: RunRecord): boolean {
    return run.owner === owner && run.result === undefined
  }

  function recover(job: Job, found: JobState): JobState {
    const { state, lost } = withoutUnfinished(found, owner)
    for (const { id, startedAt } of lost) {
      log.error('job was cut off when Monohull was killed', { job: job.plan.name, started: startedAt })
      void endLeftovers(deps, { id, job: job.plan.name })
    }
    return state
  }

  return {
    async load(job, { isOff }) {
      const text = scheduleText(job.plan)
      const now = clock.now()
      const found = await journal.read(job.plan.name).catch(() => undefined)
      const isKnown = found?.schedule === text
      const known = stateFrom(found, text, now)
      if (!found && !isOff && journal.create(job, known)) {
        countFrom(job, now)
        return false
      }
      const hasUnfinished = known.runs.some(isUnfinished)
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
      return true
    },
    async sync(job, { isOff }) {
      const text = scheduleText(job.plan)
      const now = clock.now()
      const unwritten = job.unwritten.splice(0)
      const found = await journal.read(job.plan.name).catch((error: unknown) => {
        job.unwritten.push(...unwritten)
        throw error
      })
      const known = new Set([job.begun, ...unwritten.map(({ id }) => id)])
      const unknown = found?.runs.filter(run => isUnfinished(run) && !known.has(run.id)) ?? []
      const unstarted = unknown.findLast(run => canStart(job, run, now))
      const lost = unknown.filter(run => run !== unstarted)
      let state = found ?? stateFrom(undefined, text, now)
      if ((!found && !isOff) || unwritten.length > 0 || lost.length > 0) {
        const isKept = await journal.change(job, kept => {
          const begun = Date.parse(kept.seenAt) === 0 ? { ...kept, seenAt: isoTime(now) } : kept
          state = withLost(unwritten.reduce(withEnd, begun), lost)
          return state
        })
        if (!isKept) {
          job.unwritten.push(...unwritten)
          return false
        }
        for (const { dueAt } of lost)
          log.error('job was not run, the shared state was lost in its claim', { job: job.plan.name, due: dueAt })
      }
      job.isPaused = state.isPaused
      job.lastSuccessAt = state.lastSuccessAt
      const last = state.runs.findLast(({ result }) => result !== undefined)
      job.last = last && { ...last, lastLines: [] }
      job.elsewhere = state.runs.find(run => run.result === undefined && run.owner !== owner)
      const isKnown = !found || found.schedule === text
      if (isKnown) job.since = 0
      if (!job.jitters?.size) countFrom(job, Math.max(isKnown ? seenUntil(state, now) : now, job.dealtWith))
      if (unstarted) await resume(job, unstarted)
      return true
    },
    async beginFrom(job, { isOff }) {
      countFrom(job, clock.now())
      job.since = job.seen
      if (!isOff) await journal.change(job, state => ({ ...state, seenAt: isoTime(job.seen) }))
    },
  }
}
