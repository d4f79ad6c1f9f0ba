import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../../supervisor/base/backoff.ts'

const policy = { initialMs: 200, maxMs: 30_000 }

describe('base/backoff', () => {
  it('does not wait after the first crash of a stable worker', () => {
    assert.equal(backoffMs(0, policy, 0.5), 0)
    assert.equal(backoffMs(-1, policy, 0.5), 0)
  })

  it('doubles up to the cap', () => {
    const waits = Array.from({ length: 11 }, (_, index) => backoffMs(index, policy, 0))
    assert.deepEqual(waits, [0, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
  })

  it('shortens the delay by up to a quarter', () => {
    assert.equal(backoffMs(1, policy, 1), 150)
    assert.equal(backoffMs(100, policy, 1), 22_500)
  })

  const policies = fc
    .record({ initialMs: fc.integer({ min: 1, max: 100_000 }), maxMs: fc.integer({ min: 1, max: 10_000_000 }) })
    .filter(({ initialMs, maxMs }) => initialMs <= maxMs)
  const failures = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(Number.MAX_SAFE_INTEGER))
  const random = fc.double({ min: 0, max: 1, noNaN: true })

  it('is never negative, above the cap, or more than a quarter below it', () => {
    fc.assert(
      fc.property(failures, policies, random, (count, { initialMs, maxMs }, chance) => {
        const wait = backoffMs(count, { initialMs, maxMs }, chance)
        const ceiling = Math.min(maxMs, initialMs * 2 ** (count - 1))
        assert.ok(Number.isInteger(wait))
        assert.ok(wait <= ceiling && wait >= Math.round(ceiling * 0.75), `${wait} of ${ceiling}`)
      }),
    )
  })

  it('never gets shorter with more failures', () => {
    fc.assert(
      fc.property(fc.nat(50), policies, random, (count, waits, chance) => {
        assert.ok(backoffMs(count + 1, waits, chance) >= backoffMs(count, waits, chance))
      }),
    )
  })
})
