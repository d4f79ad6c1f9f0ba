import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Asker, createQuestionQueue } from '../../../supervisor/certificates/on-demand/question-queue.ts'
import { createHandClock } from '../hand-clock.ts'

const slots = 20

/** A queue in which each question takes 200 ms. */
function setUp() {
  const hand = createHandClock()
  const queue = createQuestionQueue(hand)
  const asked: string[] = []
  const refused: string[] = []
  const ask = (name: string, client: string, domain: string) => {
    const asker: Asker = { client, domain }
    const take = () => new Promise<void>(resolve => void hand.clock.after(200, resolve))
    void queue
      .run(asker, () => {
        asked.push(name)
        return take()
      })
      .then(({ hadTurn }) => hadTurn || refused.push(name))
  }
  const flood = (count: number, client: string, domain: (index: number) => string) => {
    for (let index = 0; index < count; index++) ask(`flood ${index}`, client, domain(index))
  }
  return { ...hand, asked, refused, ask, flood }
}

describe('certificates/on-demand: the queue of questions', () => {
  it('runs twenty at a time, the oldest first', async () => {
    const { asked, flood, advance } = setUp()
    flood(50, 'a', index => `${index}.test`)
    assert.equal(asked.length, slots)
    await advance(200)
    assert.deepEqual(
      asked,
      Array.from({ length: 40 }, (_, index) => `flood ${index}`),
    )
    await advance(200)
    assert.equal(asked.length, 50)
  })

  it('asks about another domain next, however many names of one domain wait', async () => {
    const { asked, ask, flood, advance } = setUp()
    flood(80, 'a', () => 'evil.test')
    ask('customer', 'a', 'customer.test')
    await advance(200)
    assert.equal(asked[slots], 'customer')
  })

  it('asks for another client next, however many domains one client names', async () => {
    const { asked, refused, ask, flood, advance } = setUp()
    flood(1000, 'a', index => `${index}.test`)
    ask('customer', 'b', 'customer.test')
    await advance(200)
    assert.equal(asked[slots], 'customer')
    assert.ok(!refused.includes('customer'))
    // the newest of the client with the most
    assert.equal(refused.at(-1), `flood ${slots + 500 - 1}`)
  })

  it('never refuses a name because of another client or domain, as long as a flood lasts', async () => {
    const { asked, refused, ask, flood, advance } = setUp()
    for (let round = 0; round < 50; round++) {
      flood(100, 'a', () => 'evil.test')
      flood(100, 'b', index => `${round}-${index}.test`)
      ask(`customer ${round}`, `c${round % 7}`, `${round}.customer.test`)
      await advance(100)
    }
    await advance(400)
    const customers = asked.filter(name => name.startsWith('customer'))
    assert.equal(customers.length, 50)
    assert.ok(refused.every(name => name.startsWith('flood')))
  })

  it('refuses a question without a turn after eight seconds, and frees the turn of one that fails', async () => {
    const { clock, advance } = createHandClock()
    const queue = createQuestionQueue({ clock })
    const never = () => new Promise<void>(() => {})
    const failing = queue.run({ client: 'a', domain: 'a.test' }, async () => {
      throw new Error('down')
    })
    await assert.rejects(failing, /down/)
    for (let index = 0; index < slots; index++) void queue.run({ client: 'a', domain: `${index}.test` }, never)
    const late = queue.run({ client: 'b', domain: 'b.test' }, async () => 'asked')
    await advance(7999)
    assert.equal(await Promise.race([late, 'waiting']), 'waiting')
    await advance(1)
    assert.deepEqual(await late, { hadTurn: false })
  })
})
