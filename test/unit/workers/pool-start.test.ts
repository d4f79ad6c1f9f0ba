import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BootResult } from '../../../supervisor/workers/pool-boot.ts'
import { appPlan, createFaultyPool, type FaultyPool } from './faulty-pool.ts'

describe('the start of a pool', () => {
  it('starts as many workers as requested, and the others later', async () => {
    const faulty = createFaultyPool({ count: 3 })
    const booted = faulty.pool.start(1)
    await faulty.ready()
    assert.deepEqual(await booted, { ok: true })
    assert.deepEqual(faulty.states(), ['serving', 'idle', 'idle'])
    faulty.pool.startOthers()
    faulty.pool.startOthers()
    assert.equal(faulty.alive().length, 3)
    await faulty.ready()
    assert.deepEqual(faulty.states(), ['serving', 'serving', 'serving'])
  })

  it('binds the sockets of workers that all start later, which then serve there', async () => {
    const faulty = createFaultyPool()
    void faulty.pool.start(0)
    const bound = ['/run/app-1.1.sock', '/run/app-2.1.sock']
    assert.deepEqual(faulty.bound(), bound)
    assert.equal(faulty.alive().length, 0)
    faulty.pool.startOthers()
    await faulty.ready()
    assert.deepEqual(faulty.states(), ['serving', 'serving'])
    assert.deepEqual(faulty.bound(), bound)
  })

  for (const [end, act] of [
    ['a plan with ports comes', ({ pool }) => pool.roll({ ...appPlan, listen: 'port' })],
    ['the pool stops', ({ pool }) => pool.stop(100)],
  ] satisfies [string, (faulty: FaultyPool) => Promise<unknown>][])
    it(`closes the sockets that no worker used when ${end}`, async () => {
      const faulty = createFaultyPool()
      void faulty.pool.start(0)
      void act(faulty)
      for (let step = 0; step < 4; step++) {
        await faulty.ready()
        await faulty.advance(1000)
      }
      assert.deepEqual(faulty.bound(), [])
    })

  it('fails only once the others have failed too', async () => {
    const faulty = createFaultyPool({ count: 2 })
    const results: BootResult[] = []
    void faulty.pool.start(1).then(result => results.push(result))
    faulty.worker(1).exit()
    await faulty.advance(0)
    assert.equal(results.length, 0)
    faulty.pool.startOthers()
    faulty.worker(2).exit()
    await faulty.advance(0)
    assert.equal(results[0]?.ok, false)
  })

  it('starts no other worker once it stops', async () => {
    const faulty = createFaultyPool({ count: 2 })
    void faulty.pool.start(1)
    await faulty.ready()
    void faulty.pool.stop(100)
    faulty.pool.startOthers()
    assert.equal(faulty.states()[1], 'idle')
  })
})
