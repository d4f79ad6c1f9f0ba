import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inBatches, replacedAtOnce } from '../../../supervisor/base/batches.ts'
import { parseSize } from '../../../supervisor/base/size.ts'
import { drawLimits, reachedLimit } from '../../../supervisor/workers/recycling.ts'
import { createTurns } from '../../../supervisor/workers/turns.ts'

describe('workers/recycling', () => {
  const policy = { maxRequests: 100, maxRequestsJitter: 10, maxMemoryBytes: 500, maxAgeMs: 1000 }

  it('randomizes limits within the bounds', () => {
    assert.deepEqual(drawLimits(policy, 0), { requests: 100, memoryBytes: 500, ageMs: 1000 })
    assert.deepEqual(drawLimits(policy, 0.999), { requests: 110, memoryBytes: 500, ageMs: 900 })
    const off = { maxRequests: 0, maxRequestsJitter: 0, maxMemoryBytes: 0, maxAgeMs: 0 }
    assert.deepEqual(drawLimits(off, 0.9), { requests: 0, memoryBytes: 0, ageMs: 0 })
  })

  it('returns the limit that is reached', () => {
    const limits = drawLimits(policy, 0)
    assert.equal(reachedLimit({ requests: 99, memoryBytes: 499, ageMs: 999 }, limits), undefined)
    assert.deepEqual(reachedLimit({ requests: 0, memoryBytes: 501, ageMs: 0 }, limits), {
      reason: 'max_memory',
      value: 501,
      limit: 500,
    })
    assert.equal(
      reachedLimit({ requests: 9, memoryBytes: 9, ageMs: 9 }, { requests: 0, memoryBytes: 0, ageMs: 0 }),
      undefined,
    )
  })
})

describe('base/batches', () => {
  it('have a maximum size', () => assert.deepEqual(inBatches([1, 2, 3], 2), [[1, 2], [3]]))
  it('recycles one worker at a time, and one per 8 of a larger pool', () =>
    assert.deepEqual([1, 8, 15, 16, 24].map(replacedAtOnce), [1, 1, 1, 2, 3]))
})

describe('workers/turns', () => {
  it('admits shared work up to the limit, and exclusive work only alone', async () => {
    const turns = createTurns(() => 2)
    const log: string[] = []
    const ends: (() => void)[] = []
    const work = (name: string) => () => {
      log.push(name)
      return new Promise<void>(resolve => ends.push(resolve))
    }
    const settle = () => new Promise(resolve => setImmediate(resolve))
    const all = [
      turns.shared(work('a')),
      turns.shared(work('b')),
      turns.shared(work('c')),
      turns.exclusive(work('roll')),
      turns.shared(work('d')),
    ]
    const seen: string[] = []
    for (let round = 0; round < 5; round++) {
      await settle()
      seen.push(log.join())
      ends.shift()?.()
    }
    await Promise.all(all)
    assert.deepEqual(seen, ['a,b', 'a,b,c', 'a,b,c', 'a,b,c,roll', 'a,b,c,roll,d'])
  })

  it('continues after failed work', async () => {
    const turns = createTurns(() => 1)
    await assert.rejects(turns.exclusive(() => Promise.reject(new Error('no'))))
    assert.equal(await turns.shared(async () => 'yes'), 'yes')
  })
})

describe('base/size', () => {
  it('parses amounts of memory', () => {
    assert.deepEqual(['512MB', '1.5gb', '8KB'].map(parseSize), [536870912, 1610612736, 8192])
    for (const text of ['512', 'MB', '0MB', '-1MB', '5TB', '1 MB']) assert.equal(parseSize(text), undefined)
  })
})
