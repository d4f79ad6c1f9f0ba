import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startHeartbeat } from '../../../supervisor/dynamic-routes/heartbeat.ts'

describe('dynamic-routes/heartbeat', () => {
  it('begins at once, tries again soon until it succeeds, then every five seconds, and ends', async () => {
    const delays: number[] = []
    let next = () => {}
    const results = [async () => false, () => Promise.reject(new Error('nobody listens')), async () => true]
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      after(delayMs: number, callback: () => void) {
        delays.push(delayMs)
        next = callback
        return () => delays.push(-1)
      },
    }
    const log = { debug() {}, info() {}, warn() {}, error() {} } as never
    const heartbeat = startHeartbeat({ clock, log, beat: () => results.shift()?.() ?? Promise.resolve(true) })
    for (let count = 0; count < 3; count++) {
      next()
      for (let turn = 0; turn < 10; turn++) await undefined
    }
    await heartbeat.close()
    assert.deepEqual(delays, [0, 200, 200, 5000, -1])
  })
})
