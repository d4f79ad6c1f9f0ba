import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { offsetIn } from '../../../supervisor/base/adapters/time-zone.ts'

const minute = 60_000

describe('base/time-zone', () => {
  it('looks up the offset of a minute once, and changes it to the minute', t => {
    const { mock } = t.mock.method(Intl.DateTimeFormat.prototype, 'formatToParts')
    const offsetAt = offsetIn('Europe/Berlin')
    const change = Date.UTC(2026, 2, 29, 1)
    for (let job = 0; job < 1000; job++) {
      assert.equal(offsetAt(change - 1 - (job % minute)), 60 * minute)
      assert.equal(offsetAt(change + job), 120 * minute)
    }
    assert.equal(mock.callCount(), 2)
  })

  it('remembers a bounded number of minutes', t => {
    const offsetAt = offsetIn('Asia/Kathmandu')
    offsetAt(0)
    for (let at = 1; at <= 1000; at++) assert.equal(offsetAt(at * 60 * minute + Date.UTC(2026, 0)), 345 * minute)
    const { mock } = t.mock.method(Intl.DateTimeFormat.prototype, 'formatToParts')
    offsetAt(0)
    assert.equal(mock.callCount(), 1)
  })
})
