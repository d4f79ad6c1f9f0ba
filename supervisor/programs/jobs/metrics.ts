import type { Metric, Sample } from '../../base/metrics.ts'
import type { Job } from './job.ts'

/** Results that are counted from the start, so that the first one is an increase. */
const noResults = { success: 0, failure: 0, timeout: 0 }

/** Metrics of jobs. */
export function jobMetrics(jobs: readonly Job[], isOff: boolean): Metric[] {
  const each = (read: (job: Job) => number | undefined): Sample[] =>
    jobs.flatMap(job => {
      const value = read(job)
      return value === undefined ? [] : [{ labels: { job: job.plan.name }, value }]
    })
  const secondsOf = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time) / 1000)
  return [
    {
      name: 'job_runs_total',
      type: 'counter',
      help: 'Runs of a job that have ended, by result',
      samples: jobs.flatMap(({ plan, results }) =>
        Object.entries({ ...noResults, ...results }).map(([result, value]) => ({
          labels: { job: plan.name, result },
          value,
        })),
      ),
    },
    {
      name: 'job_running',
      type: 'gauge',
      help: 'Whether a job runs, or waits for its next attempt',
      samples: each(({ current }) => (current ? 1 : 0)),
    },
    {
      name: 'job_last_success_timestamp_seconds',
      type: 'gauge',
      help: 'End of the last successful run of a job',
      samples: each(({ lastSuccessAt }) => secondsOf(lastSuccessAt)),
    },
    {
      name: 'job_last_duration_seconds',
      type: 'gauge',
      help: 'Duration of the last run of a job that has ended',
      samples: each(({ last }) => (last?.durationMs === undefined ? undefined : last.durationMs / 1000)),
    },
    {
      name: 'job_next_run_timestamp_seconds',
      type: 'gauge',
      help: 'Time at which a job is due next; absent while it is paused or off',
      samples: each(({ isPaused, isRetired, next }) =>
        isOff || isPaused || isRetired || !Number.isFinite(next) ? undefined : next / 1000,
      ),
    },
    {
      name: 'job_missed_total',
      type: 'counter',
      help: 'Runs that were missed because Monohull was not running or the clock was set forward',
      samples: each(({ missed }) => missed),
    },
    {
      name: 'job_skipped_total',
      type: 'counter',
      help: 'Runs that were skipped because the last run had not ended',
      samples: each(({ skipped }) => skipped),
    },
  ]
}
