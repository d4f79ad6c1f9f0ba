import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { entryCount, spreadEntries } from '../../../supervisor/workers/socket-paths.ts'

/** Number of entries that lead to each slot. */
function shares(leads: Map<number, number>): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const slot of leads.values()) counts[slot] = (counts[slot] ?? 0) + 1
  return counts
}

/** Entries that lead nowhere yet. */
function spread(entries: number, slots: readonly number[], serving: readonly number[]): Map<number, number> {
  return spreadEntries(entries, { slots, serving, present: new Map() })
}

describe('workers/socket-paths', () => {
  it('gives each worker the same share, within the number of idle connections of nginx', () => {
    for (const workers of [1, 2, 3, 5, 7, 8, 12, 13, 64]) {
      const entries = entryCount(workers, 32)
      assert.equal(entries % workers, 0)
      assert.ok(entries >= workers && entries <= Math.max(24, workers), `${workers}: ${entries}`)
    }
    assert.equal(entryCount(2, 0), 24)
    assert.equal(entryCount(2, 8), 8)
    assert.equal(entryCount(3, 1), 3)
  })

  it('leads to serving slots, each entry to its own slot if that serves', () => {
    const leads = spread(8, [1, 2], [1, 2])
    assert.deepEqual([leads.get(1), leads.get(2)], [1, 2])
    assert.deepEqual(shares(leads), { 1: 4, 2: 4 })
  })

  it('spreads over remaining slots and over new ones', () => {
    assert.deepEqual(shares(spread(8, [1, 2], [2])), { 2: 8 })
    assert.deepEqual(shares(spread(24, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])), { 1: 5, 2: 5, 3: 5, 4: 5, 5: 4 })
  })

  it('leads to one slot after the other, in whatever order they came to serve', () => {
    const slots = [1, 2, 3, 4]
    let present = spread(24, slots, [])
    for (const serving of [[3], [1, 3], [1, 2, 3], slots]) present = spreadEntries(24, { slots, serving, present })
    assert.deepEqual([...present.values()], Array.from({ length: 6 }, () => slots).flat())
  })

  it('leads to the first slot while none serves', () => {
    assert.deepEqual(shares(spread(8, [1, 2], [])), { 1: 8 })
    assert.equal(spread(8, [], []).size, 0)
  })

  it('moves few entries when one slot after the other serves or leaves, and keeps equal shares', () => {
    const slots = Array.from({ length: 200 }, (_, index) => index + 1)
    let present = spread(200, slots, [])
    let moves = 0
    const steps = [
      ...slots.map((_, index) => slots.slice(0, index + 1)),
      ...slots.map((_, index) => slots.slice(index)),
    ]
    for (const serving of steps) {
      const next = spreadEntries(200, { slots, serving, present })
      const counts = Object.values(shares(next))
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
      assert.deepEqual(
        serving.map(slot => next.get(slot)),
        serving,
      )
      for (const [entry, target] of next) if (present.get(entry) !== target) moves++
      present = next
    }
    assert.ok(moves < 5000, `${moves} moves`)
  })
})
