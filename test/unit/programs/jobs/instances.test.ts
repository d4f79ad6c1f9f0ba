import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorld, historyOf, hour, minute, plan, second, startInstance } from './jobs-setup.ts'

const timeout = 5000
const success = { kind: 'code', code: 0 } as const

describe('two instances with one state_dir', { timeout }, () => {
  it('run a job once each time it is due', async () => {
    const world = createWorld()
    const every = [{ ...plan, schedule: '* * * * *' }]
    const one = await startInstance(world, every)
    const two = await startInstance(world, every, { owner: 'two' })
    for (let turn = 1; turn <= 5; turn++) {
      await world.hand.advance(minute)
      for (const child of [...one.alive(), ...two.alive()]) child.exit(success)
      await world.hand.advance(0)
      assert.equal(one.children.length + two.children.length, turn)
    }
    assert.deepEqual(await historyOf(two), Array(5).fill('schedule success'))
  })

  it('make up a missed run once, and pause a job for both', async () => {
    const world = createWorld()
    const jobs = [{ ...plan, catchesUp: true }]
    const before = await startInstance(world, jobs)
    before.service.quiesce()
    await world.hand.advance(2 * hour)
    const [one, two] = await Promise.all([startInstance(world, jobs), startInstance(world, jobs, { owner: 'two' })])
    await world.hand.advance(second)
    assert.equal(one.children.length + two.children.length, 1)
    for (const child of [...one.alive(), ...two.alive()]) child.exit(success)
    await one.service.operations.pause('report')
    await world.hand.advance(2 * hour)
    assert.equal(one.children.length + two.children.length, 1)
    assert.equal(two.service.status()[0]?.state, 'paused')
  })

  it('do nothing by themselves with MONOHULL_JOBS=off, but run on request', async () => {
    const world = createWorld()
    const off = await startInstance(world, [{ ...plan, runsOnStart: true }], { areJobsOff: true })
    await world.hand.advance(2 * hour)
    assert.equal(off.children.length, 0)
    assert.equal(world.store.states.size, 0)
    assert.equal(world.hand.waiting(), 0)
    assert.equal(off.service.status()[0]?.state, 'off')
    assert.deepEqual(await off.service.operations.run('report', { waits: false }), {
      ok: true,
      message: 'report started',
    })
  })
})

describe('the history', { timeout }, () => {
  it('has the last 50 runs, and those that a kill has cut off', async () => {
    const world = createWorld()
    const every = [{ ...plan, schedule: '* * * * *' }]
    const killed = await startInstance(world, every)
    for (let turn = 1; turn <= 60; turn++) {
      await world.hand.advance(minute)
      if (turn < 60) killed.children.at(-1)?.exit(success)
    }
    killed.service.quiesce()
    // another one that still runs is not touched
    const other = await startInstance(world, every, { owner: 'two' })
    assert.equal((await historyOf(other)).at(-1), 'schedule undefined')
    other.service.quiesce()
    const next = await startInstance(world, every)
    const history = await historyOf(next)
    assert.equal(history.length, 50)
    assert.deepEqual(history.slice(-2), ['schedule success', 'schedule lost'])
    assert.equal(next.service.status()[0]?.last?.result, 'lost')
    assert.equal(next.service.status()[0]?.lastSuccessAt, '2026-12-01T04:13:00.000Z')
    assert.match(next.lines.join(''), /job was cut off when Monohull was killed job=report started=2026-12-01T04:14/)
  })
})

describe('operations on jobs', { timeout }, () => {
  it('run a job, wait for it, and say why not', async () => {
    const world = createWorld()
    const jobs = await startInstance(world, [plan, { ...plan, name: 'queued', overlap: 'queue' }])
    const { run } = jobs.service.operations
    assert.match(
      JSON.stringify(await run('reports', { waits: true })),
      /there is no job reports; choose from report, queued/,
    )
    const waiting = run('report', { waits: true })
    await world.hand.advance(3 * second)
    assert.match(JSON.stringify(await run('report', { waits: true })), /not started.*it runs since 2026-12-01T03:14/)
    jobs.children[0]?.exit({ kind: 'code', code: 7 })
    assert.deepEqual(await waiting, {
      ok: false,
      message: 'report failure',
      reason: 'exit code 7',
      lastLines: [],
      code: 7,
    })
    assert.deepEqual(await run('queued', { waits: false }), { ok: true, message: 'queued started' })
    assert.deepEqual(await run('queued', { waits: false }), { ok: true, message: 'queued queued' })
    const dropped = run('queued', { waits: true })
    await world.hand.advance(0)
    assert.match(JSON.stringify(await dropped), /not started.*another run waits/)
    jobs.children[1]?.exit(success)
    await world.hand.advance(0)
    const last = jobs.service.operations.run('report', { waits: true })
    await world.hand.advance(0)
    jobs.service.quiesce()
    const stopped = jobs.service.stop({ mode: 'graceful', leftMs: () => 1000 })
    await world.hand.advance(0)
    await stopped
    assert.match(JSON.stringify(await last), /report stopped.*SIGTERM/)
    assert.match(JSON.stringify(await run('report', { waits: true })), /monohull is stopping/)
  })
})
