import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKnownNames } from '../../../../supervisor/dynamic-routes/redis/known-names.ts'

function setUp(limits = { routes: 2, others: 2 }) {
  const time = { now: 0 }
  return { time, known: createKnownNames(() => time.now, limits) }
}

describe('dynamic-routes/redis/known-names', () => {
  it('knows the names that it was asked about, and no others', () => {
    const { known } = setUp()
    known.note('a.test', true)
    known.note('b.test', false)
    assert.deepEqual(['a.test', 'b.test', 'c.test'].map(known.mayKnow), [true, true, false])
    assert.deepEqual([known.names(), known.routeCount()], [['a.test', 'b.test'], 1])
    known.note('a.test', false)
    assert.deepEqual([known.hasRoute('a.test'), known.routeCount()], [false, 0])
  })

  it('forgets the oldest beyond its limits, and says which', () => {
    const { known } = setUp()
    for (const name of ['a', 'b', 'a', 'c']) known.note(name, true)
    assert.deepEqual([known.names(), [...known.forgotten()]], [['a', 'c'], ['b']])
    known.note('b', true)
    assert.deepEqual([...known.forgotten()], ['a'])
    known.confirmForgotten(['a'])
    for (let count = 0; count < 100; count++) known.note(`other${count}`, false)
    assert.deepEqual([known.names(), known.forgotten().size], [['c', 'b', 'other98', 'other99'], 98])
  })

  it('gives each name when its key expires, unless that was prolonged', () => {
    const { time, known } = setUp({ routes: 10, others: 10 })
    known.note('soon', true, 1000)
    known.note('later', true, 1000)
    known.note('later', true, 5000)
    known.note('never', true, 1000)
    known.note('never', true)
    assert.equal(known.nextExpiryMs(), 1000)
    time.now = 999
    assert.deepEqual(known.takeExpired(), [])
    time.now = 1000
    assert.deepEqual(known.takeExpired(), ['soon'])
    assert.deepEqual([known.takeExpired(), known.nextExpiryMs()], [[], 5000])
    known.note('later', false)
    assert.equal(known.nextExpiryMs(), undefined)
  })
})
