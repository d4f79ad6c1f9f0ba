import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTurns } from '../../../supervisor/certificates/acme/turns.ts'
import { createHandClock } from '../hand-clock.ts'

describe('certificates/acme: turns', () => {
  function setUp(places: number) {
    const { clock, advance } = createHandClock()
    const turns = createTurns({ clock, places, patienceMs: 2000 })
    const begun: string[] = []
    const ends = new Map<string, () => void>()
    const take = (name: string, urgency: 'awaited' | 'routine' = 'routine') =>
      turns.take(urgency, () => {
        begun.push(name)
        return new Promise<void>(resolve => ends.set(name, resolve))
      })
    return { take, begun, advance, end: (name: string) => ends.get(name)?.() }
  }

  it('runs a few operations at a time', async () => {
    const { take, begun, advance, end } = setUp(2)
    for (const name of ['a', 'b', 'c']) void take(name)
    await advance(0)
    assert.deepEqual(begun, ['a', 'b'])
    end('a')
    await advance(0)
    assert.deepEqual(begun, ['a', 'b', 'c'])
  })

  it('lets others pass an operation that takes long', async () => {
    const { take, begun, advance, end } = setUp(1)
    for (const name of ['slow', 'b', 'c']) void take(name)
    await advance(1999)
    assert.deepEqual(begun, ['slow'])
    await advance(1)
    assert.deepEqual(begun, ['slow', 'b'])
    // its end frees no second place
    end('slow')
    await advance(0)
    assert.deepEqual(begun, ['slow', 'b'])
  })

  it('alternates between what somebody waits for and the rest', async () => {
    const { take, begun, advance, end } = setUp(1)
    for (const name of ['r1', 'r2', 'r3']) void take(name)
    for (const name of ['a1', 'a2', 'a3']) void take(name, 'awaited')
    for (const name of ['r1', 'a1', 'r2', 'a2', 'r3', 'a3']) {
      await advance(0)
      end(name)
    }
    await advance(0)
    assert.deepEqual(begun, ['r1', 'a1', 'r2', 'a2', 'r3', 'a3'])
  })

  it('frees the place of an operation that fails', async () => {
    const { clock, advance } = createHandClock()
    const turns = createTurns({ clock, places: 1, patienceMs: 2000 })
    await assert.rejects(
      turns.take('routine', () => Promise.reject(new Error('failed'))),
      /failed/,
    )
    const second = turns.take('routine', async () => 'done')
    await advance(0)
    assert.equal(await second, 'done')
  })
})
