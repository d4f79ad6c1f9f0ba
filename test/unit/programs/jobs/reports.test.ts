import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorld, hour, minute, plan, startInstance } from './jobs-setup.ts'

const timeout = 20_000
const success = { kind: 'code', code: 0 } as const

/** Due times of the runs of a job while its time zone goes through some hours. */
async function runsThrough(given: { schedule: string; timezone: string; from: string; hours: number }) {
  const world = createWorld()
  world.offset.ms = Date.parse(given.from)
  const jobs = await startInstance(world, [{ ...plan, schedule: given.schedule, timezone: given.timezone }])
  for (let passed = 0; passed < given.hours * hour; passed += minute) {
    await world.hand.advance(minute)
    for (const child of jobs.alive()) child.exit(success)
  }
  const runs = jobs.lines.filter(line => line.includes('job started')).map(line => line.slice(11, 16))
  return { runs, lines: jobs.lines, status: jobs.service.status()[0] }
}

describe('reports from trackers of others', { timeout }, () => {
  it('a job each minute and each hour, while the clock is set forward: no run twice, no flood of warnings', async () => {
    const night = { timezone: 'America/Los_Angeles', from: '2021-03-14T08:30:00Z', hours: 3 }
    const hourly = await runsThrough({ ...night, schedule: '0 * * * *' })
    assert.deepEqual(hourly.runs, ['09:00', '10:00', '11:00'])
    const minutely = await runsThrough({ ...night, schedule: '* * * * *' })
    assert.equal(minutely.runs.length, 180)
    assert.ok(minutely.lines.length <= 360, `${minutely.lines.length} lines`)
  })

  it('a job each half hour, while the clock is set back: all runs, and then the next day', async () => {
    const half = await runsThrough({
      schedule: '*/30 * * * *',
      timezone: 'Australia/Melbourne',
      from: '2024-04-06T14:45:00Z',
      hours: 3,
    })
    assert.deepEqual(half.runs, ['15:00', '15:30', '16:00', '16:30', '17:00', '17:30'])
    const vienna = await runsThrough({
      schedule: '30 2 * * *',
      timezone: 'Europe/Vienna',
      from: '2025-10-25T22:00:00Z',
      hours: 6,
    })
    assert.deepEqual(vienna.runs, ['00:30'])
    assert.equal(vienna.status?.nextAt, '2025-10-27T01:30:00.000Z')
  })

  it('a schedule that is changed to a time that has passed: no run at once, by a reload or a restart', async () => {
    const world = createWorld()
    const earlier = { ...plan, schedule: '0 3 * * *', catchesUp: true }
    const jobs = await startInstance(world, [{ ...plan, schedule: '0 5 * * *', catchesUp: true }])
    await jobs.service.adopt({ jobs: [earlier], areJobsOff: false })
    await world.hand.advance(minute)
    assert.equal(jobs.children.length, 0)
    assert.equal(jobs.service.status()[0]?.nextAt, '2026-12-02T03:00:00.000Z')
    jobs.service.quiesce()
    const next = await startInstance(world, [{ ...earlier, schedule: '10 3 * * *' }])
    await world.hand.advance(minute)
    assert.equal(next.children.length, 0)
  })

  it('a job that was suspended for long: it runs again, and nothing was missed', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, schedule: '* * * * *', catchesUp: true }])
    await jobs.service.operations.pause('report')
    await world.hand.advance(3 * hour)
    assert.equal(jobs.children.length, 0)
    await jobs.service.operations.resume('report')
    await world.hand.advance(minute)
    assert.equal(jobs.children.length, 1)
    assert.equal(jobs.service.status()[0]?.missed, 0)
  })
})
