import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decideScale, type LoadSample, type ScalePolicy } from '../../../supervisor/workers/autoscaling/decision.ts'

const policy: ScalePolicy = { min: 1, max: 8, target: 0.6, high: 0.75, upAfterMs: 3000, low: 0.5, downAfterMs: 30_000 }

/** One sample per second, the last one now. */
const seconds = (...loads: number[]): LoadSample[] => loads.map((load, index) => ({ at: index * 1000, load }))
const steady = (load: number, count: number) => seconds(...Array.from({ length: count }, () => load))

describe('workers/autoscaling/decision', () => {
  it('adds the workers that the target requires after three seconds of high load', () => {
    assert.equal(decideScale(steady(0.9, 3), 2, policy), undefined)
    assert.equal(decideScale(steady(0.9, 4), 2, policy), 3)
    assert.equal(decideScale(steady(1, 4), 4, policy), 7)
    assert.equal(decideScale(steady(1, 4), 1, policy), 2, 'at most the double')
    assert.equal(decideScale(steady(0.76, 4), 1, policy), 2, 'at least one')
  })

  it('ignores a single busy second', () => {
    assert.equal(decideScale(seconds(0.1, 0.1, 0.1, 1), 2, policy), undefined)
  })

  it('removes one worker after thirty seconds in which the others could have done its work', () => {
    assert.equal(decideScale(steady(0.1, 30), 4, policy), undefined)
    assert.equal(decideScale(steady(0.1, 31), 4, policy), 3)
    assert.equal(decideScale(seconds(...Array(20).fill(0.1), 0.9, ...Array(20).fill(0.1)), 4, policy), undefined)
    assert.equal(decideScale(steady(0.3, 31), 2, policy), undefined, 'one alone would be at 0.6')
    assert.equal(decideScale(steady(0, 31), 1, policy), undefined)
    assert.equal(decideScale(steady(0, 31), 1, { ...policy, min: 0 }), undefined, 'the last one is ended by sleep')
  })

  it('changes nothing between low and high', () => {
    for (const load of [0.5, 0.6, 0.75]) assert.equal(decideScale(steady(load, 120), 4, policy), undefined)
  })

  it('does not oscillate: at a steady load, it does not remove the workers that it added', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.76, max: 1, noNaN: true }), fc.integer({ min: 1, max: 7 }), (load, workers) => {
        const wanted = decideScale(steady(load, 4), workers, policy) ?? workers
        const after = (load * workers) / wanted
        assert.ok((decideScale(steady(after, 60), wanted, policy) ?? wanted) >= wanted)
      }),
    )
  })

  it('stays within the limits for any samples', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ at: fc.integer({ min: 0, max: 100_000 }), load: fc.double({ min: 0, max: 1, noNaN: true }) }),
        ),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 0, max: 10 }),
        (samples, workers, min, more) => {
          const wanted = decideScale(samples, workers, { ...policy, min, max: min + more })
          if (wanted !== undefined) assert.ok(wanted >= min && wanted <= min + more && wanted !== workers)
          else assert.ok(workers >= min && workers <= min + more)
        },
      ),
    )
  })
})
