import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BootResult } from '../../../supervisor/workers/pool-boot.ts'
import { createFaultyPool } from './faulty-pool.ts'

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
