import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemError } from '../refusing-system.ts'
import { appPlan, assertFailed, createFaultyPool, outcome } from './faulty-pool.ts'

const timeout = 10_000
const nextPlan = { ...appPlan, argv: ['node', 'next.js'], argvFor: () => ['node', 'next.js'], minUptimeMs: 0 }

describe('a pool in which two things happen at once', { timeout }, () => {
  it('knows a worker that replaces a dead one while a refused replacement drains', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    const roll = faulty.pool.roll({ ...nextPlan, surge: 2, minUptimeMs: 500 })
    await faulty.advance(0)
    const [first, second] = faulty.alive().slice(2)
    second?.notify('READY', '1')
    second?.ignore('SIGTERM')
    first?.exit()
    assertFailed(await outcome(faulty, roll, 1000), /app\.1/)

    faulty.worker(2).exit()
    await faulty.advance(0)
    const restarted = faulty.worker(2)
    await faulty.advance(1000)
    assert.deepEqual([second?.isAlive(), restarted.isAlive()], [false, true])
    await outcome(
      faulty,
      faulty.pool.stop(1000).then(() => ({ ok: true })),
      1100,
    )
    assert.deepEqual(faulty.alive(), [])
  })

  it('brings a worker back to the old plan after a second roll that was abandoned too', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    const roll = faulty.pool.roll(nextPlan)
    await faulty.ready()
    await faulty.advance(10)
    faulty.refuse.spawn = systemError('EAGAIN', 'spawn node')
    faulty.alive('app.2')[1]?.exit()
    assertFailed(await outcome(faulty, roll, 50), /app\.2/)
    assert.deepEqual(faulty.worker(1).spec.argv, nextPlan.argv)

    assertFailed(await outcome(faulty, faulty.pool.roll(nextPlan), 10), /EAGAIN/)
    faulty.refuse.spawn = undefined
    await faulty.advance(2000)
    await faulty.ready()
    await faulty.advance(1000)
    assert.deepEqual(faulty.worker(1).spec.argv, appPlan.argv)
  })

  it('stops the workers that a scale-down still drains', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.worker(2).ignore('SIGTERM')
    const scaled = faulty.pool.scale(1)
    await faulty.advance(10)
    await outcome(
      faulty,
      faulty.pool.stop(100).then(() => ({ ok: true })),
      150,
    )
    assert.deepEqual(faulty.alive(), [])
    await scaled
  })

  it('leads the entries that a plan adds to its workers', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    const roll = faulty.pool.roll({ ...nextPlan, entries: 6 })
    for (let slot = 0; slot < 2; slot++) {
      await faulty.ready()
      await faulty.advance(100)
    }
    assert.deepEqual(await roll, { ok: true })
    assert.deepEqual(
      [...faulty.links.keys()].sort(),
      [1, 2, 3, 4, 5, 6].map(entry => `/run/app-${entry}.sock`),
    )
  })

  it('starts a worker of the old plan when the new one dies after its trial, before the roll goes on', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    const roll = faulty.pool.roll({ ...nextPlan, surge: 2, minUptimeMs: 500 })
    await faulty.advance(0)
    const [slow, quick] = faulty.alive().slice(2)
    quick?.notify('READY', '1')
    await faulty.advance(10)
    faulty.worker(2).exit()
    await faulty.advance(600)
    quick?.exit()
    await faulty.advance(100)
    assert.deepEqual(
      faulty.alive('app.2').map(({ spec }) => spec.argv),
      [appPlan.argv],
    )
    slow?.notify('READY', '1')
    assertFailed(await outcome(faulty, roll, 600), /app\.2/)
  })

  it('reports once that a slot was withdrawn, however often its worker fails', async () => {
    const faulty = createFaultyPool()
    await faulty.serve()
    faulty.refuse.spawn = systemError('EAGAIN', 'spawn node')
    faulty.worker(2).exit()
    await faulty.advance(10_000)
    assert.equal(faulty.lines.filter(line => line.includes('slot withdrawn from nginx')).length, 1)
  })
})
