import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createInstance, createWorld, historyOf, hour, minute, plan, second, startInstance } from './jobs-setup.ts'

const timeout = 5000
const success = { kind: 'code', code: 0 } as const
const day = 24 * hour

/** A world in which an instance ran once, and was killed; then time went by. */
async function worldAfter(awayMs: number, changed: Partial<typeof plan> = {}) {
  const world = createWorld()
  const before = await startInstance(world, [{ ...plan, ...changed }])
  await world.hand.advance(minute)
  before.children[0]?.exit(success)
  await world.hand.advance(minute)
  before.service.quiesce()
  await world.hand.advance(awayMs)
  return world
}

describe('missed runs', { timeout }, () => {
  it('are reported after a downtime, and not made up unasked', async () => {
    const world = await worldAfter(3 * hour)
    const jobs = await startInstance(world, [plan])
    await world.hand.advance(second)
    assert.match(jobs.lines.join(''), /job missed job=report runs=3 last=2026-12-01T06:15:00.000Z made_up=false/)
    assert.equal(jobs.service.status()[0]?.missed, 3)
    assert.equal(jobs.children.length, 0)
    // and not again
    const again = await startInstance(world, [plan])
    await world.hand.advance(second)
    assert.equal(again.service.status()[0]?.missed, 0)
  })

  it('are made up once within the deadline', async () => {
    const changed = { catchesUp: true, deadlineMs: hour }
    for (const [awayMs, runs] of [
      [3 * hour, 1],
      [3 * hour + 50 * minute, 1],
    ] as const) {
      const world = await worldAfter(awayMs, changed)
      const jobs = await startInstance(world, [{ ...plan, ...changed }])
      await world.hand.advance(second)
      assert.equal(jobs.children.length, runs)
      jobs.children[0]?.exit(success)
      await world.hand.advance(second)
      assert.deepEqual(await historyOf(jobs), ['schedule success', 'catch_up success'])
    }
    const daily = { ...changed, schedule: '15 3 * * *' }
    const world = await worldAfter(day + 2 * hour, daily)
    const jobs = await startInstance(world, [{ ...plan, ...daily }])
    await world.hand.advance(second)
    assert.match(jobs.lines.join(''), /job missed .* runs=1 .*made_up=false/)
    assert.equal(jobs.children.length, 0)
  })

  it('are covered by a run on start', async () => {
    const changed = { catchesUp: true, runsOnStart: true }
    const world = await worldAfter(3 * hour, { catchesUp: true })
    const jobs = await startInstance(world, [{ ...plan, ...changed }])
    await world.hand.advance(second)
    assert.equal(jobs.children.length, 1)
    assert.equal(jobs.service.status()[0]?.skipped, 0)
    assert.match(jobs.lines.join(''), /made_up=true/)
  })

  it('are none of a new job, of a new schedule, and of the time in which a job was paused', async () => {
    const world = await worldAfter(3 * hour)
    const changed = await startInstance(world, [
      { ...plan, schedule: '20 * * * *' },
      { ...plan, name: 'added' },
    ])
    await world.hand.advance(second)
    assert.doesNotMatch(changed.lines.join(''), /missed/)
    await changed.service.operations.pause('added')
    changed.service.quiesce()
    await world.hand.advance(day)
    const jobs = await startInstance(world, [{ ...plan, name: 'added', catchesUp: true }])
    await world.hand.advance(hour)
    assert.equal(jobs.service.status()[0]?.state, 'paused')
    await jobs.service.operations.resume('added')
    await world.hand.advance(second)
    assert.doesNotMatch(jobs.lines.join(''), /missed/)
    assert.equal(jobs.children.length, 0)
    await world.hand.advance(hour)
    assert.equal(jobs.children.length, 1)
  })

  it('are not what is due while an instance starts', async () => {
    const world = await worldAfter(58 * minute + 30 * second)
    const jobs = createInstance(world, [plan])
    await world.hand.advance(45 * second)
    await jobs.service.start()
    await world.hand.advance(second)
    assert.doesNotMatch(jobs.lines.join(''), /missed/)
    assert.equal(jobs.children.length, 1)
  })

  it('are counted up to a hundred, quickly', async () => {
    const every = { schedule: '* * * * *' }
    const world = await worldAfter(0, every)
    world.offset.ms += 400 * day
    const jobs = await startInstance(world, [{ ...plan, ...every }])
    await world.hand.advance(second)
    assert.match(jobs.lines.join(''), /runs=100 last=2028-01-05T03:16:00/)
  })
})

describe('a clock that is set', { timeout }, () => {
  it('forward over a due time makes a run missed', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [
      { ...plan, schedule: '30 3 * * *' },
      { ...plan, name: 'made-up', schedule: '30 3 * * *', catchesUp: true },
    ])
    world.offset.ms += 2 * hour
    await world.hand.advance(minute)
    assert.deepEqual(
      jobs.children.map(({ spec }) => spec.name),
      ['job:made-up'],
    )
    assert.deepEqual(
      jobs.service.status().map(({ missed }) => missed),
      [1, 1],
    )
  })

  it('back does not run again what has run', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, schedule: '15 3 * * *' }])
    await world.hand.advance(minute)
    jobs.children[0]?.exit(success)
    await world.hand.advance(10 * minute)
    world.offset.ms -= hour
    await world.hand.advance(2 * hour)
    assert.equal(jobs.children.length, 1)
    assert.equal(jobs.service.status()[0]?.nextAt, '2026-12-02T03:15:00.000Z')
  })

  it('far back goes by the new time, and so does the next instance', async () => {
    const world = createWorld()
    world.offset.ms += 10_000 * day
    const first = await startInstance(world, [plan])
    await world.hand.advance(minute)
    first.children[0]?.exit(success)
    await world.hand.advance(minute)
    world.offset.ms -= 10_000 * day
    await world.hand.advance(hour)
    assert.equal(first.children.length, 2)
    first.children[1]?.exit(success)
    world.offset.ms -= 1000 * day
    first.service.quiesce()
    const second = await startInstance(world, [plan])
    await world.hand.advance(hour)
    assert.equal(second.children.length, 1)
  })

  it('by a second runs nothing twice and misses nothing', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [{ ...plan, schedule: '* * * * *' }])
    for (let turn = 0; turn < 10; turn++) {
      await world.hand.advance(minute)
      jobs.children.at(-1)?.exit(success)
      world.offset.ms += turn % 2 === 0 ? 1500 : -1500
    }
    await world.hand.advance(second)
    assert.equal(jobs.children.length, 10)
    assert.equal(jobs.service.status()[0]?.missed, 0)
  })
})
