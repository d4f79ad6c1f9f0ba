import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failuresWithin } from '../../../supervisor/processes/failures.ts'

describe('processes/failures', () => {
  it('keeps failures shortly before the last one', () => {
    assert.deepEqual(failuresWithin(1000, [0, 500, 1400]), [500, 1400])
    assert.deepEqual(failuresWithin(1000, [0, 1000]), [1000])
    assert.deepEqual(failuresWithin(1, [7]), [7])
  })
})
