import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seriesOf, sparkline } from '../../../page/series.ts'
import { applyMessage, mostLogs } from '../../../page/state.ts'
import type { FeedMessage } from '../../../supervisor/dashboard/feed.ts'
import { measures } from '../../../supervisor/dashboard/point.ts'

const columns = (...times: number[]) => [times, ...measures.map(() => times.map(time => time % 7))]
const worker = (total: number, cpuSeconds: number, pid = 7) => ({
  name: 'web.1',
  pid,
  requests: { total, inFlight: 0 },
  usage: { cpuSeconds },
})
const lines = (first: number, count: number) => Array.from({ length: count }, (_, index) => ({ id: first + index }))
const message = (at: number, change: Partial<FeedMessage> = {}): FeedMessage => ({
  at: at * 1000,
  isFresh: false,
  sections: {},
  seconds: columns(at),
  minutes: columns(),
  logs: [],
  events: [],
  ...change,
})
const first = message(1000, {
  isFresh: true,
  sections: { run: { state: 'ready' }, workers: [worker(10, 1)], processes: [] },
  logs: lines(1, 3),
})

describe('page/state', () => {
  it('keeps sections that did not change, and has rates between samples of the same process', () => {
    let state = applyMessage(undefined, first)
    state = applyMessage(state, message(1002, { sections: { workers: [worker(30, 1.5)] } }))
    assert.equal(state.sections.run.state, 'ready')
    assert.deepEqual(state.rates['web.1'], { cpu: 0.25, requests: 10 })
    state = applyMessage(state, message(1003, { sections: { workers: [worker(2, 0.1, 8)] } }))
    assert.deepEqual(state.rates['web.1'], { cpu: undefined, requests: undefined })
  })

  it('keeps ten minutes of points, and takes each point and line once', () => {
    let state = applyMessage(undefined, first)
    state = applyMessage(state, message(1001, { seconds: columns(1000, 1001), logs: lines(2, 3) }))
    assert.deepEqual(state.seconds[0], [1000, 1001])
    assert.deepEqual(
      state.logs.map(({ id }) => id),
      [1, 2, 3, 4],
    )
    state = applyMessage(state, message(1601))
    assert.deepEqual(
      state.seconds.map(column => column.length),
      [2, ...measures.map(() => 2)],
    )
    assert.deepEqual(state.seconds[0], [1001, 1601])
    state = applyMessage(state, message(1602, { logs: lines(5, 2000) }))
    assert.equal(state.logs.length, mostLogs)
  })

  it('begins again with another run', () => {
    const before = applyMessage(undefined, first)
    const state = applyMessage(before, { ...first, seconds: columns(2000), at: 2_000_000, logs: lines(1, 1) })
    assert.deepEqual([state.seconds[0], state.logs.length, state.rates], [[2000], 1, {}])
  })
})

describe('page/series', () => {
  it('has a gap where no sample was taken', () => {
    const state = applyMessage(undefined, { ...first, seconds: columns(990, 991, 999) })
    assert.deepEqual(seriesOf(state, '10 min', ['requests']), [
      [990, 991, 995, 999],
      [3, 4, null, 5],
    ])
  })

  it('draws a path with a move after each gap', () => {
    const path = sparkline([0, 5, 10, 15], [0, 10, null, 5], { end: 20, seconds: 20, width: 100, height: 12 })
    assert.equal(path, 'M0.0 11.0L25.0 1.0M75.0 6.0')
    assert.equal(sparkline([], [], { end: 20, seconds: 20, width: 100, height: 12 }), '')
  })
})
