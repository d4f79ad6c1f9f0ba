import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatMetrics } from '../../../../supervisor/base/metrics.ts'
import { formatJobs, timeIn } from '../../../../supervisor/programs/jobs/status.ts'
import { formatRuns } from '../../../../supervisor/run/job-text.ts'
import { createWorld, minute, plan, second, startInstance } from './jobs-setup.ts'

describe('programs/jobs/status', () => {
  it('shows jobs and runs in the time zone of the schedule, and counts them', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [
      { ...plan, timezone: 'Europe/Berlin' },
      { ...plan, name: 'paused' },
    ])
    await jobs.service.operations.pause('paused')
    await world.hand.advance(minute)
    await world.hand.advance(1500)
    jobs.children[0]?.exit({ kind: 'code', code: 3 })
    await world.hand.advance(second)
    assert.equal(
      formatJobs(jobs.service.status()),
      `JOB     SCHEDULE    STATE    NEXT                       LAST                               MISSED
report  15 * * * *  waiting  2026-12-01 05:15:00 GMT+1  failure 2026-12-01 04:15:00 GMT+1  -
paused  15 * * * *  paused   -                          -                                  -
`,
    )
    assert.equal(
      formatRuns(await jobs.service.operations.history(undefined)),
      `JOB     STARTED                    TRIGGER   RESULT   TIME   EXIT         TRIES  LAST LINE
report  2026-12-01 04:15:00 GMT+1  schedule  failure  1.5 s  exit code 3  1
`,
    )
    assert.deepEqual(
      formatMetrics(jobs.service.metrics())
        .split('\n')
        .filter(line => line.includes('report"') && !line.includes('success"} 0')),
      [
        'monohull_job_runs_total{job="report",result="failure"} 1',
        'monohull_job_runs_total{job="report",result="timeout"} 0',
        'monohull_job_running{job="report"} 0',
        'monohull_job_last_duration_seconds{job="report"} 1.5',
        'monohull_job_next_run_timestamp_seconds{job="report"} 1796098500',
        'monohull_job_missed_total{job="report"} 0',
        'monohull_job_skipped_total{job="report"} 0',
      ],
    )
  })

  it('shows that a job is paused while it runs', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan])
    await jobs.service.operations.run('report', { waits: false })
    await jobs.service.operations.pause('report')
    const [shown] = jobs.service.status()
    assert.deepEqual([shown?.state, shown?.isPaused], ['running', true])
    assert.match(formatJobs(jobs.service.status()), /^report {2}15 \* \* \* \* {2}running, paused {2}- /m)
    jobs.children[0]?.exit({ kind: 'code', code: 0 })
    await world.hand.advance(second)
    assert.match(formatJobs(jobs.service.status()), /^report {2}15 \* \* \* \* {2}paused {2}- /m)
  })

  it('tells the two hours apart that a clock that is set back has', () => {
    assert.equal(timeIn('Europe/Berlin', '2026-10-25T00:30:00Z'), '2026-10-25 02:30:00 GMT+2')
    assert.equal(timeIn('Europe/Berlin', '2026-10-25T01:30:00Z'), '2026-10-25 02:30:00 GMT+1')
  })
})
