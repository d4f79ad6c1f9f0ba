import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { runAt } from '../../../supervisor/base/adapters/cron.ts'

/** Replaces the clock, which begins at 03:58:20 in Kolkata, and the timers; gives what lets minutes go by. */
function fakeTime(t: TestContext, TZ = 'Asia/Kolkata'): (minutes: number) => Promise<void> {
  const zone = process.env.TZ
  process.env.TZ = TZ
  t.after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.parse('2026-05-12T03:58:20+05:30') })
  return async minutes => {
    for (let second = 0; second < minutes * 60; second++) {
      t.mock.timers.tick(1000)
      // the schedule plans its next run in a promise
      await new Promise(setImmediate)
    }
  }
}

/** Sets the clock forward or back, as whoever keeps it right does: timers notice nothing. */
function setClock(t: TestContext, days: number): void {
  const before = Date
  const now = () => before.now() + days * 86_400_000
  globalThis.Date = class extends before {
    static override now = now
    constructor(...given: unknown[]) {
      super(...((given.length > 0 ? given : [now()]) as [number]))
    }
  } as DateConstructor
  t.after(() => {
    globalThis.Date = before
  })
}

/** When a task ran, and what ends it. */
function timesOf(t: TestContext, expression: string): { times: string[]; cancel: () => void } {
  const times: string[] = []
  const cancel = runAt(expression, () => times.push(new Date().toISOString()))
  t.after(cancel)
  return { times, cancel }
}

describe('base/adapters/cron', () => {
  it('runs a task at its times in the local zone only', async t => {
    const pass = fakeTime(t)
    const { times } = timesOf(t, '0,10 4 * * *')
    await pass(1)
    assert.deepEqual(times, [])
    await pass(60)
    const first = ['2026-05-11T22:30:00.000Z', '2026-05-11T22:40:00.000Z']
    assert.deepEqual(times, first)
    await pass(24 * 60)
    assert.deepEqual(times, [...first, '2026-05-12T22:30:00.000Z', '2026-05-12T22:40:00.000Z'])
  })

  it('treats an empty TZ as UTC', async t => {
    const pass = fakeTime(t, '')
    const { times } = timesOf(t, '0 23 * * *')
    await pass(60)
    assert.deepEqual(times, ['2026-05-11T23:00:00.000Z'])
  })

  it('continues after the clock is set, and skips missed runs', async t => {
    const pass = fakeTime(t)
    const { times } = timesOf(t, '* * * * *')
    const daily = timesOf(t, '0 4 * * *')
    await pass(4)
    assert.equal(times.length, 4)
    for (const days of [20_000, -19_000, -100]) {
      setClock(t, days)
      const before = times.length
      await pass(4)
      const ran = times.length - before
      assert.ok(ran >= 3 && ran <= 5, `${ran} times after ${days} days`)
    }
    assert.ok(daily.times.length <= 3, daily.times.join())
  })

  it('stops when it is cancelled', async t => {
    const pass = fakeTime(t)
    const { times, cancel } = timesOf(t, '* * * * *')
    await pass(2)
    assert.equal(times.length, 2)
    cancel()
    await pass(5)
    assert.equal(times.length, 2)
  })
})
