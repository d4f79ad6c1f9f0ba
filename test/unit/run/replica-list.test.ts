import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClusterMember } from '../../../supervisor/run/cluster.ts'
import { createReplicaList } from '../../../supervisor/run/replica-list.ts'
import { createHandClock } from '../hand-clock.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))
const member = (id: string, state: ClusterMember['state'], isThis = false) => ({ id, state, isThis }) as ClusterMember

describe('run/replica-list', () => {
  it('asks every five seconds while somebody looks, never waits, and keeps what it knows while the shared state is unavailable', async () => {
    const hand = createHandClock()
    let asked = 0
    let answer: () => Promise<ClusterMember[]> = async () => [
      member('b', 'ready'),
      member('c', 'gone'),
      member('a', 'ready', true),
    ]
    const list = createReplicaList({
      clock: hand.clock,
      ask: () => {
        asked++
        return answer()
      },
    })
    assert.deepEqual(list(), { rows: [], all: 0, ready: 0, problem: undefined })
    await settle()
    const { rows, all, ready } = list()
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a', 'c', 'b'],
    )
    assert.deepEqual([all, ready, asked], [3, 2, 1])
    await hand.advance(4999)
    list()
    assert.equal(asked, 1)
    answer = async () => {
      throw new Error('Redis is down')
    }
    await hand.advance(1)
    list()
    await settle()
    assert.equal(asked, 2)
    assert.equal(list().problem, 'Redis is down')
    assert.equal(list().rows.length, 3)
    answer = () => new Promise(() => {})
    await hand.advance(60_000)
    list()
    list()
    assert.equal(asked, 3)
  })

  it('has a hundred rows at most, and the number of all', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => member(`${at}`, at === 999 ? 'gone' : 'ready'))
    const list = createReplicaList({ clock: createHandClock().clock, ask: async () => many })
    list()
    await settle()
    const { rows, all, ready } = list()
    assert.deepEqual([rows.length, rows[0]?.id, all, ready], [100, '999', 1000, 999])
  })
})
