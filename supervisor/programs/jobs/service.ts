import type { OffsetAt } from '../../base/cron-time.ts'
import type { Metric } from '../../base/metrics.ts'
import type { Stopping } from '../../base/stopping.ts'
import { followShared } from './following.ts'
import { createJob, inTurn, type Job, takeDue } from './job.ts'
import { createJournal } from './journal.ts'
import { jobMetrics } from './metrics.ts'
import type { JobOperations } from './operations.ts'
import { type JobPlan, type JobSettings, scheduleText } from './plan.ts'
import { createRunner, type RunnerDeps } from './runner.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import { createScheduler } from './scheduler.ts'
import { createOperations } from './service-operations.ts'
import type { SharedJobs } from './sharing.ts'
import { openStates } from './states.ts'
import { type JobStatus, statusOf } from './status.ts'
import type { JobStore } from './store.ts'

/** Dependencies of the jobs. */
export interface JobServiceDeps extends Omit<RunnerDeps, 'journal' | 'judgeOwners' | 'onUnclaimed'> {
  store: JobStore
  /** The state that several instances share, if the store is in it. */
  shared?: SharedJobs | undefined
  offsetIn(timeZone: string): OffsetAt
}

/** The jobs of a run. */
export interface JobService {
  /** Begins the schedules at startup: reports what was missed since the last run, and runs what runs on start. */
  start(): Promise<void>
  /** Begins the schedules of jobs that are new or have changed; jobs that are gone finish their present run. */
  adopt(settings: JobSettings): Promise<void>
  operations: JobOperations
  status(): JobStatus[]
  warnings(): string[]
  metrics(): Metric[]
  /** Begins no other run. */
  quiesce(): void
  /** Stops the present runs. Settles when their ends are recorded. */
  stop(how: Stopping): Promise<void>
}

/** Jobs that do nothing until `start` or `adopt`. */
export function createJobService(deps: JobServiceDeps, initial: JobSettings): JobService {
  const { clock, shared } = deps
  // another instance was there before
  const openedAt = shared ? Number.NEGATIVE_INFINITY : clock.now()
  const journal = createJournal({ ...deps, isShared: shared !== undefined })
  const runner = createRunner({
    ...deps,
    journal,
    judgeOwners: shared?.judgeOwners,
    onUnclaimed: () => following?.retry(),
  })
  const states = openStates({ ...deps, journal, resume: runner.resume })
  const schedules = new Map<string, Schedule>()
  const jobs = new Map<string, Job>()
  let isOff = initial.areJobsOff
  let isStopping = false
  const scheduler = createScheduler({ clock, runner, jobs: () => jobs.values(), openedAt })
  const following = shared && followShared({ ...shared, clock, jobs, sync, look })

  /** Most jobs share their schedule with others. */
  function scheduleOf(plan: JobPlan): Schedule {
    const text = scheduleText(plan)
    const schedule = schedules.get(text) ?? createSchedule(plan, deps.offsetIn)
    schedules.set(text, schedule)
    return schedule
  }

  function add(plan: JobPlan): Job {
    const job = createJob(plan, scheduleOf(plan), clock.now())
    jobs.set(plan.name, job)
    return job
  }

  function look(): void {
    if (!isOff && !isStopping && jobs.size > 0 && following?.isSynced() !== false) scheduler.look()
    else scheduler.end()
  }

  function sync(job: Job): Promise<boolean> {
    return inTurn(job, () => states.sync(job, { isOff }))
  }

  function change(job: Job, plan: JobPlan): unknown {
    const isSameSchedule = scheduleText(plan) === scheduleText(job.plan) && !job.isRetired
    job.plan = plan
    job.isRetired = false
    job.schedule = scheduleOf(plan)
    return isSameSchedule ? undefined : states.beginFrom(job, { isOff: isOff || shared !== undefined })
  }

  function remove(job: Job): void {
    runner.retire(job)
    const { current } = job
    const forget = () => {
      if (job.isRetired && jobs.get(job.plan.name) === job) jobs.delete(job.plan.name)
    }
    if (current) void current.settled.then(forget)
    else forget()
  }

  function startUp(job: Job): void {
    if (!job.plan.runsOnStart || job.isPaused || isOff || isStopping) return
    const { missed, runAt } = takeDue(job, clock.now(), openedAt)
    if (missed) void runner.missed(job, missed, true)
    void runner.begin(job, { trigger: 'start' })
    if (runAt !== undefined) runner.due(job, runAt)
  }

  return {
    async start() {
      const all = initial.jobs.map(add)
      if (following) return following.begin()
      for (const job of all) await states.load(job, { isOff })
      all.forEach(startUp)
      look()
    },
    async adopt(settings) {
      isOff = settings.areJobsOff
      const names = new Set(settings.jobs.map(({ name }) => name))
      for (const [name, job] of jobs) if (!names.has(name)) remove(job)
      await Promise.all(
        settings.jobs.map(async plan => {
          const present = jobs.get(plan.name)
          if (present) return change(present, plan)
          const job = add(plan)
          if (following) return undefined
          return (await states.load(job, { isOff })) ? states.beginFrom(job, { isOff }) : undefined
        }),
      )
      following?.begin()
      look()
    },
    operations: createOperations({ clock, journal, runner, jobs, status, look }),
    status,
    warnings: () =>
      [...jobs.values()].flatMap(({ plan, problem }) =>
        problem === undefined ? [] : `the runs of the job ${plan.name} cannot be recorded: ${problem}`,
      ),
    metrics: () => jobMetrics([...jobs.values()], isOff),
    quiesce() {
      isStopping = true
      scheduler.end()
      following?.end()
      for (const job of jobs.values()) runner.retire(job)
    },
    async stop({ leftMs }) {
      const all = [...jobs.values()]
      for (const { current } of all) current?.attempts.stop('stopped', leftMs())
      await Promise.all(all.map(({ current }) => current?.settled))
      await Promise.all(all.map(({ turn }) => turn))
    },
  }

  function status(): JobStatus[] {
    return [...jobs.values()].map(job => statusOf(job, isOff))
  }
}
