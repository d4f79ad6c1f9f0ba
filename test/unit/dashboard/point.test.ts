import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pointBetween, quantileOf, type Reading, type RequestSeries } from '../../../supervisor/dashboard/point.ts'

const bounds = [0.1, 0.2, 0.4]
const series = (status: number, count: number, buckets: number[], route = '/'): RequestSeries => ({
  app: 'web',
  route,
  method: 'GET',
  status,
  scheme: 'https',
  count,
  buckets,
})
const reading = (at: number, all: RequestSeries[] | undefined, more: Partial<Reading> = {}): Reading => ({
  at,
  requests: all && { series: all, active: 3 },
  connections: 7,
  cpuSeconds: at / 2000,
  memory: 1000,
  ...more,
})

describe('dashboard/point', () => {
  it('has rates, shares and quantiles of what was counted in between', () => {
    const before = reading(0, [series(200, 10, [10, 0, 0])])
    const now = reading(2000, [series(200, 26, [18, 8, 0]), series(404, 2, [2, 0, 0]), series(503, 2, [0, 0, 0])])
    const point = pointBetween(before, now, bounds)
    assert.equal(point.requests, 10)
    assert.deepEqual([point.clientErrors, point.serverErrors], [0.1, 0.1])
    assert.deepEqual([point.p50, point.p95], [0.1, 0.4])
    assert.deepEqual([point.inFlight, point.connections, point.memory, point.cpu], [3, 7, 1000, 0.5])
  })

  it('does not take a series that was removed, or counts that began again, for a burst', () => {
    const before = reading(0, [series(200, 1000, [1000, 0, 0, 0]), series(200, 50, [50, 0, 0, 0], '/old')])
    const restarted = reading(1000, [series(200, 4, [4, 0, 0, 0])])
    assert.equal(pointBetween(before, restarted, bounds).requests, 4)
    const removed = reading(1000, [series(200, 1001, [1001, 0, 0, 0])])
    assert.equal(pointBetween(before, removed, bounds).requests, 1)
  })

  it('has no quantiles without requests, and nothing where nothing is counted', () => {
    const idle = pointBetween(reading(0, []), reading(1000, []), bounds)
    assert.deepEqual([idle.requests, idle.p99, idle.serverErrors], [0, Number.NaN, 0])
    const without = pointBetween(reading(0, undefined), reading(1000, undefined, { cpuSeconds: undefined }), bounds)
    assert.deepEqual([without.requests, without.inFlight, without.cpu], [Number.NaN, Number.NaN, Number.NaN])
  })

  it('has quantiles that are linear within a bucket, and the last bound beyond it', () => {
    assert.equal(quantileOf([0, 4, 0, 0], bounds, 0.5), 0.15000000000000002)
    assert.equal(quantileOf([0, 0, 0, 4], bounds, 0.5), 0.4)
    assert.equal(quantileOf([], bounds, 0.5), Number.NaN)
  })
})
