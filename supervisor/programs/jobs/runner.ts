import { type AttemptsDeps, type RunEnd, startAttempts } from './attempts.ts'
import { countFrom, type Job, type RunRequest } from './job.ts'
import type { Journal } from './journal.ts'
import type { JobPlan } from './plan.ts'
import { isoTime, type JobState, type RunRecord, setBackMs, withEnd, withRun } from './record.ts'
import type { DueTimes } from './schedule.ts'

/** Dependencies of the runner. */
export interface RunnerDeps extends AttemptsDeps {
  journal: Journal
  /** Instance that runs: its host name and run_dir. */
  owner: string
  /** An id that no other run has. */
  newId(): string
  /** Requests a URL. Rejects unless the response is a success. */
  ping(url: string): Promise<void>
  /** Called when a job with on_failure: exit has failed. */
  endRun(plan: JobPlan, exitCode: number): void
}

/** Runs jobs: one run of a job at a time, in this instance. */
export interface Runner {
  /** Runs a job that is due, after its jitter. */
  due(job: Job, dueAt: number): void
  /** Reports missed runs, and makes them up if the plan says so, unless something else does. */
  missed(job: Job, times: DueTimes, isMadeUp?: boolean): Promise<void>
  /** Begins a run, or does with it what `overlap` says. Settles when that is decided. */
  begin(job: Job, request: RunRequest): Promise<'started' | 'queued' | 'skipped' | 'not begun'>
  /** Pauses a job, or lets it run again from now on; its present run goes on. */
  setPaused(job: Job, isPaused: boolean): Promise<void>
  /** Begins no other run of a job. */
  retire(job: Job): void
}

/** Runner in which nothing runs yet. */
export function createRunner(deps: RunnerDeps): Runner {
  const { clock, log, journal } = deps

  /** Runs one step after the other for each job. */
  function inTurn<T>(job: Job, step: () => Promise<T>): Promise<T> {
    const done = job.turn.then(step)
    job.turn = done.catch(() => {})
    return done
  }

  function recordOf({ trigger, dueAt }: RunRequest): RunRecord {
    const due = dueAt === undefined ? {} : { dueAt: isoTime(dueAt) }
    return { id: deps.newId(), owner: deps.owner, trigger, ...due, startedAt: isoTime(clock.now()) }
  }

  function abandon({ onEnd }: RunRequest): 'not begun' {
    onEnd?.(undefined)
    return 'not begun'
  }

  async function beginNow(job: Job, request: RunRequest): ReturnType<Runner['begin']> {
    if (job.isRetired) return abandon(request)
    const record = recordOf(request)
    const isFree = job.current === undefined
    let isTaken = false
    let isPaused = false
    await journal.change(job, state => {
      isTaken = isSeen(state, request, clock.now())
      if (isTaken) return undefined
      job.isPaused = state.isPaused
      isPaused = state.isPaused && request.trigger !== 'request'
      const seen = isClaim(request) ? { ...state, seenAt: isoTime(request.dueAt) } : state
      return isFree && !isPaused ? withRun(seen, record) : seen
    })
    if (isTaken) log.debug('job was run by another instance', { job: job.plan.name, due: record.dueAt })
    if (isTaken || isPaused) return abandon(request)
    return isFree ? start(job, request, record) : overlap(job, request)
  }

  async function overlap(job: Job, request: RunRequest): ReturnType<Runner['begin']> {
    const { current, plan } = job
    if (job.isRetired) return abandon(request)
    if (!current) return start(job, request, await recordStart(job, request))
    if (plan.overlap === 'replace') {
      log.warn('job replaced by its next run', { job: plan.name, since: current.record.startedAt })
      current.attempts.stop('replaced', plan.gracefulTimeoutMs)
      await current.attempts.ended
      return start(job, request, await recordStart(job, request))
    }
    if (plan.overlap === 'queue' && !job.queued) {
      log.info('job queued, its last run has not ended', { job: plan.name, since: current.record.startedAt })
      job.queued = request
      return 'queued'
    }
    job.skipped++
    log.warn('job skipped, its last run has not ended', { job: plan.name, since: current.record.startedAt })
    request.onEnd?.(undefined)
    return 'skipped'
  }

  async function recordStart(job: Job, request: RunRequest): Promise<RunRecord> {
    const record = recordOf(request)
    await journal.change(job, state => withRun(state, record))
    return record
  }

  async function start(job: Job, request: RunRequest, record: RunRecord): ReturnType<Runner['begin']> {
    if (job.isRetired) {
      await journal.change(job, state => withEnd(state, { ...record, result: 'stopped' }))
      return abandon(request)
    }
    const { plan } = job
    const startedAt = clock.monotonic()
    const attempts = startAttempts(deps, plan)
    const settled = attempts.ended.then(async end => {
      if (job.current?.record === record) job.current = undefined
      const ended = {
        ...record,
        ...end,
        endedAt: isoTime(clock.now()),
        durationMs: Math.round(clock.monotonic() - startedAt),
      }
      report(job, plan, ended)
      const written = inTurn(job, () => journal.change(job, state => withEnd(state, ended)))
      const { queued } = job
      job.queued = undefined
      if (queued) void inTurn(job, () => overlap(job, queued))
      await written
      request.onEnd?.(end)
      if (end.result === 'failure' || end.result === 'timeout') deps.endRun(plan, end.exitCode)
    })
    job.current = { record, attempts, settled }
    return 'started'
  }

  function report(job: Job, plan: JobPlan, ended: RunRecord & RunEnd): void {
    const { result, exit, durationMs, lastLines } = ended
    job.last = { ...ended, lastLines: [] }
    job.results[result] = (job.results[result] ?? 0) + 1
    if (result === 'success') job.lastSuccessAt = ended.endedAt
    const fields = { job: plan.name, exit, attempts: plan.retries > 0 ? ended.attempts : undefined, ms: durationMs }
    if (result === 'success') log.info('job finished', { ...fields, exit: undefined })
    else if (result === 'stopped' || result === 'replaced') log.info(`job ${result}`, fields)
    else log.error('job failed', { ...fields, last_lines: lastLines })
    const url = result === 'success' ? plan.ping.success : plan.ping.failure
    if (url !== undefined && ['success', 'failure', 'timeout'].includes(result))
      void deps.ping(url).catch((error: Error) => {
        log.warn('ping of a job failed', { job: plan.name, host: new URL(url).host, reason: error.message })
      })
  }

  return {
    due(job, dueAt) {
      const request: RunRequest = { trigger: 'schedule', dueAt }
      const delayMs = Math.round(job.plan.jitterMs * deps.random())
      if (delayMs === 0) return void this.begin(job, request)
      job.jitters ??= new Set()
      const { jitters } = job
      const cancel = clock.after(delayMs, () => {
        jitters.delete(cancel)
        void this.begin(job, request)
      })
      jitters.add(cancel)
    },
    missed(job, times, isMadeUp = false) {
      const { name, catchesUp, deadlineMs } = job.plan
      const makesUp = !isMadeUp && catchesUp && clock.now() - times.last <= deadlineMs
      const request: RunRequest = { trigger: 'catch_up', dueAt: times.last }
      return inTurn(job, async () => {
        let isTaken = false
        await journal.change(job, state => {
          isTaken = isSeen(state, request, clock.now())
          job.isPaused = state.isPaused
          return isTaken ? undefined : { ...state, seenAt: isoTime(times.last) }
        })
        if (isTaken || job.isPaused || job.isRetired) return
        job.missed += times.count
        log.warn('job missed', {
          job: name,
          runs: times.count,
          last: isoTime(times.last),
          made_up: makesUp || isMadeUp,
        })
        if (makesUp) await overlap(job, request)
      })
    },
    begin: (job, request) => inTurn(job, () => beginNow(job, request)),
    setPaused: (job, isPaused) =>
      inTurn(job, () => {
        job.isPaused = isPaused
        countFrom(job, clock.now())
        return journal.change(job, state => ({ ...state, isPaused, seenAt: isoTime(job.seen) }))
      }),
    retire(job) {
      job.isRetired = true
      for (const cancel of job.jitters ?? []) cancel()
      job.jitters = undefined
      job.queued?.onEnd?.(undefined)
      job.queued = undefined
    },
  }
}

type Claim = RunRequest & { dueAt: number }

/** Whether a run is for a due time, which only one instance may run for. */
function isClaim(request: RunRequest): request is Claim {
  return request.dueAt !== undefined && (request.trigger === 'schedule' || request.trigger === 'catch_up')
}

/** Whether another instance has dealt with the due time. What a clock far ahead has written does not count. */
function isSeen({ seenAt }: JobState, request: RunRequest, now: number): boolean {
  const seen = Date.parse(seenAt)
  return isClaim(request) && seen >= request.dueAt && seen <= now + setBackMs
}
