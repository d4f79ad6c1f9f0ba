import { formatDuration } from '../../base/duration.ts'
import type { Runtime } from '../../base/runtime.ts'
import { stoppingReason } from '../../base/stopping.ts'
import type { RunEnd } from './attempts.ts'
import type { Job } from './job.ts'
import type { Journal } from './journal.ts'
import type { JobOperations, JobOutcome } from './operations.ts'
import type { Runner } from './runner.ts'
import type { JobStatus } from './status.ts'

/** Dependencies of the operations. */
export interface OperationsDeps extends Pick<Runtime, 'clock'> {
  journal: Pick<Journal, 'read'>
  runner: Pick<Runner, 'begin' | 'setPaused'>
  jobs: ReadonlyMap<string, Job>
  status(): JobStatus[]
  /** Runs what is due, and waits for what is due next. */
  look(): void
}

/** Most runs that `history` gives. */
export const mostRuns = 50

const unavailableReason = 'the shared state is unavailable'

/** Reason why there is nothing to do with a name. */
export function unknownJob(name: string, names: readonly string[]): string {
  return `there is no job ${name}; ${names.length === 0 ? 'none is configured' : `choose from ${names.join(', ')}`}`
}

/** Operations on the jobs of a run. */
export function createOperations({ clock, journal, runner, jobs, status, look }: OperationsDeps): JobOperations {
  const unknown = (name: string) => unknownJob(name, [...jobs.keys()])

  async function setPaused(name: string, isPaused: boolean): Promise<JobOutcome> {
    const job = jobs.get(name)
    if (!job) return { ok: false, message: 'command rejected', reason: unknown(name), isUnknown: true }
    if (!(await runner.setPaused(job, isPaused)))
      return { ok: false, message: `${name} not ${isPaused ? 'paused' : 'resumed'}`, reason: unavailableReason }
    look()
    return { ok: true, message: `${name} ${isPaused ? 'paused' : 'resumed'}` }
  }

  return {
    list: status,
    async history(name) {
      if (name !== undefined && !jobs.has(name)) throw new Error(unknown(name))
      const chosen = [...jobs.values()].filter(({ plan }) => name === undefined || plan.name === name)
      const runs = await Promise.all(
        chosen.map(async ({ plan }) => {
          const state = await journal.read(plan.name)
          return (state?.runs ?? []).map(run => ({ job: plan.name, timezone: plan.timezone, ...run }))
        }),
      )
      const newestFirst = runs.flat().sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1))
      return newestFirst.slice(0, mostRuns)
    },
    async run(name, { waits }) {
      const job = jobs.get(name)
      if (!job) return { ok: false, message: 'command rejected', reason: unknown(name), isUnknown: true }
      const here = job.current?.record
      const startedAt = clock.monotonic()
      const ended = Promise.withResolvers<RunEnd | undefined>()
      const begun = await runner.begin(job, { trigger: 'request', onEnd: ended.resolve })
      if (begun === 'skipped')
        return {
          ok: false,
          message: `${name} not started`,
          reason: `it runs since ${(here ?? job.elsewhere)?.startedAt}${here || !job.elsewhere ? '' : ` on ${job.elsewhere.owner}`}, and ${job.queued ? 'another run waits' : 'has overlap: skip'}`,
        }
      if (begun === 'unavailable') return { ok: false, message: `${name} not started`, reason: unavailableReason }
      if (begun !== 'not begun' && !waits) return { ok: true, message: `${name} ${begun}` }
      const end = await ended.promise
      if (!end) return { ok: false, message: `${name} not started`, reason: stoppingReason }
      const { result, exit, lastLines, exitCode: code } = end
      if (result !== 'success') return { ok: false, message: `${name} ${result}`, reason: exit, lastLines, code }
      return { ok: true, message: `${name} finished after ${formatDuration(clock.monotonic() - startedAt)}`, code }
    },
    pause: name => setPaused(name, true),
    resume: name => setPaused(name, false),
  }
}
