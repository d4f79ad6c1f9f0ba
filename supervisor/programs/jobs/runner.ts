import { type AttemptsDeps, type RunEnd, startAttempts } from './attempts.ts'
import { countFrom, inTurn, type Job, type RunRequest } from './job.ts'
import type { Journal } from './journal.ts'
import type { JobPlan } from './plan.ts'
import { isoTime, type JobState, type RunRecord, setBackMs, withEnd, withLost, withRun } from './record.ts'
import { type DueTimes, dueTimesIn } from './schedule.ts'

/** Dependencies of the runner. */
export interface RunnerDeps extends AttemptsDeps {
  journal: Journal
  /** Instance that runs: its host name and run_dir. */
  owner: string
  /** An id that no other run has. */
  newId(): string
  /** Requests a URL. Rejects unless the response is a success. */
  ping(url: string): Promise<void>
  /** Tells which instances are alive, if the jobs are shared. Rejects while the shared state is unavailable. */
  judgeOwners?: (() => Promise<(owner: string) => boolean>) | undefined
  /** Called when a due time could not be claimed, because the shared state was unavailable. */
  onUnclaimed?: (() => void) | undefined
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
  begin(job: Job, request: RunRequest): Promise<Begun>
  /** Starts a run that was claimed, but not known to be. For use in turn. */
  resume(job: Job, record: RunRecord): Promise<unknown>
  /** Pauses a job, or lets it run again from now on; its present run goes on. False: the shared state is unavailable. */
  setPaused(job: Job, isPaused: boolean): Promise<boolean>
  /** Begins no other run of a job. */
  retire(job: Job): void
}

/** What a wish for a run has come to. `unavailable`: the shared state is. */
export type Begun = 'started' | 'queued' | 'skipped' | 'not begun' | 'unavailable'

/** Runner in which nothing runs yet. */
export function createRunner(deps: RunnerDeps): Runner {
  const { clock, log, journal } = deps

  function recordOf({ trigger, dueAt }: RunRequest): RunRecord {
    const due = dueAt === undefined ? {} : { dueAt: isoTime(dueAt) }
    return { id: deps.newId(), owner: deps.owner, trigger, ...due, startedAt: isoTime(clock.now()) }
  }

  function abandon({ onEnd }: RunRequest): 'not begun' {
    onEnd?.(undefined)
    return 'not begun'
  }

  /** Claims a due time, and records its run if that begins at once. */
  async function claim(job: Job, request: RunRequest, begun: RunRecord | undefined): Promise<Claimed> {
    let isAlive: ((owner: string) => boolean) | undefined
    for (;;) {
      const outcome: { claimed: Claimed | 'unjudged'; lost: RunRecord[]; gap?: DueTimes | undefined } = {
        claimed: 'unjudged',
        lost: [],
      }
      const isKept = await journal.change(job, state => {
        const others = deps.judgeOwners ? unfinishedOf(state).filter(({ owner }) => owner !== deps.owner) : []
        // this may be a further try
        Object.assign(outcome, judge(job, state, { request, others, isAlive }), { gap: undefined })
        if (outcome.claimed === 'taken' || outcome.claimed === 'unjudged') return undefined
        outcome.gap = deps.judgeOwners && isClaim(request) ? gapBefore(job, state, request.dueAt - 1) : undefined
        const known = withLost(isClaim(request) ? { ...state, seenAt: isoTime(request.dueAt) } : state, outcome.lost)
        return outcome.claimed === 'free' && begun ? withRun(known, begun) : known
      })
      if (!isKept) return 'unavailable'
      for (const { startedAt, owner } of outcome.lost)
        log.error('job was cut off, its instance is gone', { job: job.plan.name, started: startedAt, instance: owner })
      if (outcome.gap && outcome.claimed !== 'paused') reportMissed(job, outcome.gap, false)
      if (outcome.claimed !== 'unjudged') return outcome.claimed
      isAlive = await deps.judgeOwners?.().catch(() => undefined)
      if (!isAlive) return 'unavailable'
    }
  }

  /** Due times until an instant that no instance has dealt with. */
  function gapBefore({ schedule, since }: Job, { seenAt }: JobState, until: number): DueTimes | undefined {
    return dueTimesIn(schedule, Math.max(Date.parse(seenAt), since), until)
  }

  function reportMissed(job: Job, { count, last }: DueTimes, isMadeUp: boolean): void {
    job.missed += count
    log.warn('job missed', { job: job.plan.name, runs: count, last: isoTime(last), made_up: isMadeUp })
  }

  /** What a run may do. `unjudged`: others have not ended theirs, and may be dead. */
  function judge(
    job: Job,
    state: JobState,
    {
      request,
      others,
      isAlive,
    }: { request: RunRequest; others: RunRecord[]; isAlive: ((owner: string) => boolean) | undefined },
  ): { claimed: Claimed | 'unjudged'; lost: RunRecord[] } {
    if (isSeen(job, state, request, clock.now())) return { claimed: 'taken', lost: [] }
    if (others.length > 0 && !isAlive) return { claimed: 'unjudged', lost: [] }
    job.isPaused = state.isPaused
    job.elsewhere = others.find(({ owner }) => isAlive?.(owner))
    const lost = others.filter(({ owner }) => !isAlive?.(owner))
    if (state.isPaused && request.trigger !== 'request') return { claimed: 'paused', lost }
    return { claimed: job.elsewhere ? 'elsewhere' : 'free', lost }
  }

  async function beginNow(job: Job, request: RunRequest): Promise<Begun> {
    if (job.isRetired) return abandon(request)
    const record = recordOf(request)
    const isFree = job.current === undefined
    const claimed = await claim(job, request, isFree ? record : undefined)
    const { name } = job.plan
    if (claimed === 'unavailable') {
      if (isClaim(request))
        log.warn('job is due, but the shared state is unavailable', { job: name, due: record.dueAt })
      deps.onUnclaimed?.()
      abandon(request)
      return claimed
    }
    if (isClaim(request)) job.dealtWith = Math.max(job.dealtWith, request.dueAt)
    if (claimed === 'taken') log.debug('job was run by another instance', { job: name, due: record.dueAt })
    if (claimed === 'taken' || claimed === 'paused') return abandon(request)
    if (claimed === 'elsewhere') return skip(job, request, job.elsewhere)
    return isFree ? start(job, request, record) : overlap(job, request)
  }

  async function overlap(job: Job, request: RunRequest): Promise<Begun> {
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
    return skip(job, request, current.record)
  }

  function skip(job: Job, request: RunRequest, running: RunRecord | undefined): 'skipped' {
    job.skipped++
    const instance = running?.owner === deps.owner ? undefined : running?.owner
    const due = request.dueAt === undefined ? undefined : isoTime(request.dueAt)
    const fields = { job: job.plan.name, due, since: running?.startedAt, instance }
    log.warn('job skipped, its last run has not ended', fields)
    request.onEnd?.(undefined)
    return 'skipped'
  }

  async function recordStart(job: Job, request: RunRequest): Promise<RunRecord> {
    const record = recordOf(request)
    await journal.change(job, state => withRun(state, record))
    return record
  }

  async function start(job: Job, request: RunRequest, record: RunRecord): Promise<Begun> {
    if (job.isRetired) {
      await journal.change(job, state => withEnd(state, { ...record, result: 'stopped' }))
      return abandon(request)
    }
    const { plan } = job
    const startedAt = clock.monotonic()
    const attempts = startAttempts(deps, plan, record.id)
    const settled = attempts.ended.then(async end => {
      if (job.current?.record === record) job.current = undefined
      const ended = {
        ...record,
        ...end,
        endedAt: isoTime(clock.now()),
        durationMs: Math.round(clock.monotonic() - startedAt),
      }
      report(job, plan, ended)
      const written = inTurn(job, async () => {
        if (!(await journal.change(job, state => withEnd(state, ended)))) job.unwritten.push(ended)
      })
      const { queued } = job
      job.queued = undefined
      if (queued) void inTurn(job, () => overlap(job, queued))
      await written
      request.onEnd?.(end)
      if (end.result === 'failure' || end.result === 'timeout') deps.endRun(plan, end.exitCode)
    })
    job.current = { record, attempts, settled }
    job.begun = record.id
    return 'started'
  }

  function report(job: Job, plan: JobPlan, ended: RunRecord & RunEnd): void {
    const { result, exit, durationMs, lastLines } = ended
    job.last = { ...ended, lastLines: [] }
    job.results = { ...job.results, [result]: (job.results[result] ?? 0) + 1 }
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
      const { catchesUp, deadlineMs } = job.plan
      const makesUp = !isMadeUp && catchesUp && clock.now() - times.last <= deadlineMs
      const request: RunRequest = { trigger: 'catch_up', dueAt: times.last }
      return inTurn(job, async () => {
        let isTaken = false
        let found = times
        const isKept = await journal.change(job, state => {
          isTaken = isSeen(job, state, request, clock.now())
          job.isPaused = state.isPaused
          if (deps.judgeOwners) found = gapBefore(job, state, times.last) ?? times
          return isTaken ? undefined : { ...state, seenAt: isoTime(times.last) }
        })
        if (!isKept) return
        job.dealtWith = Math.max(job.dealtWith, times.last)
        if (isTaken || job.isPaused || job.isRetired) return
        reportMissed(job, found, makesUp || isMadeUp)
        if (makesUp) await (deps.judgeOwners ? beginNow(job, { ...request, isClaimed: true }) : overlap(job, request))
      })
    },
    resume: (job, record) => start(job, { trigger: record.trigger }, record),
    begin: (job, request) => inTurn(job, () => beginNow(job, request)),
    setPaused: (job, isPaused) =>
      inTurn(job, async () => {
        const now = clock.now()
        const isKept = await journal.change(job, state => ({ ...state, isPaused, seenAt: isoTime(now) }))
        if (!isKept) return false
        job.isPaused = isPaused
        countFrom(job, now)
        return true
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

type Claimed = 'free' | 'taken' | 'paused' | 'elsewhere' | 'unavailable'
type Claim = RunRequest & { dueAt: number }

/** Whether a run is for a due time, which only one instance may run for. */
function isClaim(request: RunRequest): request is Claim {
  const isDue = request.trigger === 'schedule' || request.trigger === 'catch_up'
  return request.dueAt !== undefined && isDue && !request.isClaimed
}

/** Whether another instance has dealt with the due time. What a clock far ahead has written does not count. */
function isSeen(job: Job, { seenAt }: JobState, request: RunRequest, now: number): boolean {
  if (!isClaim(request)) return false
  const seen = Date.parse(seenAt)
  return (seen >= request.dueAt && seen <= now + setBackMs) || (job.plan.isShared && job.dealtWith >= request.dueAt)
}

function unfinishedOf({ runs }: JobState): RunRecord[] {
  return runs.filter(({ result }) => result === undefined)
}
