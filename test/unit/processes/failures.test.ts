import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failuresWithin } from '../../../supervisor/processes/failures.ts'

describe('domain/failures', () => {
  it('keeps those that are recent at the time of the last', () => {
    assert.deepEqual(failuresWithin(1000, [0, 500, 1400]), [500, 1400])
    assert.deepEqual(failuresWithin(1000, [0, 1000]), [1000])
    assert.deepEqual(failuresWithin(1, [7]), [7])
  })
})
