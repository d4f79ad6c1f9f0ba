import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHistory } from '../../../supervisor/dashboard/history.ts'
import { measures, type Point } from '../../../supervisor/dashboard/point.ts'

const point = (requests: number): Point => ({
  ...(Object.fromEntries(measures.map(name => [name, Number.NaN])) as Point),
  requests,
})

describe('dashboard/history', () => {
  it('keeps the newest points, as columns with times in seconds', () => {
    const history = createHistory(3)
    for (let second = 1; second <= 5; second++) history.add(second * 1000, point(second / 3))
    assert.equal(history.size(), 3)
    const [times, requests, p50] = history.after(0)
    assert.deepEqual(
      [times, requests, p50],
      [
        [3, 4, 5],
        [1, 1.333, 1.667],
        [null, null, null],
      ],
    )
    assert.deepEqual(history.after(4000)[0], [5])
    assert.deepEqual(history.after(5000)[0], [])
  })
})
