import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { onTicks, untilTick } from '../../../supervisor/base/clock.ts'
import { createHandClock } from '../hand-clock.ts'

const at = (now: number) => ({ now: () => now, monotonic: () => now, after: () => () => {} })

describe('base/clock: ticks', () => {
  it('are multiples of the interval, at least half of it away', () => {
    const left = [0, 4000, 5000, 9990, 9999, 10_000, 10_009].map(now => untilTick(at(now), 10_000))
    assert.deepEqual(left, [10_000, 6000, 15_000, 10_010, 10_010, 10_000, 10_000])
  })

  it('are the same for all tasks, and end', async () => {
    const { clock, advance, waiting } = createHandClock()
    const ran: string[] = []
    await advance(1234)
    const end = onTicks(clock, 10_000, () => ran.push(`one ${clock.monotonic()}`))
    await advance(2000)
    const endOther = onTicks(clock, 10_000, async () => ran.push(`two ${clock.monotonic()}`))
    await advance(20_000)
    const times = new Set(ran.map(text => Math.round(Number(text.split(' ')[1]) / 100)))
    assert.deepEqual([ran.length, [...times]], [4, [100, 200]])
    end()
    endOther()
    assert.equal(waiting(), 0)
  })

  it('wait for a task that takes longer', async () => {
    const { clock, advance } = createHandClock()
    let runs = 0
    let finish = () => {}
    const end = onTicks(clock, 1000, () => {
      runs++
      return new Promise<void>(resolve => {
        finish = resolve
      })
    })
    await advance(5000)
    assert.equal(runs, 1)
    finish()
    await advance(1000)
    assert.equal(runs, 2)
    end()
    finish()
    await advance(5000)
    assert.equal(runs, 2)
  })
})
