import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClusterLink, mastersOf, readSlots } from '../../../../supervisor/shared-state/redis/cluster.ts'
import { slotOf } from '../../../../supervisor/shared-state/redis/key-slot.ts'
import type { RedisLink } from '../../../../supervisor/shared-state/redis/link.ts'

type Replies = (words: readonly string[], address: string) => unknown

const halves = [
  [0, 8191, ['10.0.0.1', 7000, 'id'], ['10.0.0.3', 7000, 'id']],
  [8192, 16_383, [null, 7000, 'id']],
]

/** A cluster of two masters, and the commands that each received. */
function setUp(reply: Replies, slots: unknown = halves, addresses = ['10.0.0.1:7000', '10.0.0.2:7000']) {
  const calls: string[] = []
  const node = (address: string): [string, RedisLink] => [
    address,
    {
      channel: address.startsWith('10.0.0.1') ? 'tracking' : 'polling',
      runId: address,
      async call(words) {
        calls.push(`${address} ${words.join(' ')}`)
        const result = reply(words, address)
        if (result instanceof Error) throw result
        return result
      },
      check: async () => {},
      close: () => calls.push(`${address} closed`),
    },
  ]
  const ranges = readSlots(slots, '10.0.0.2')
  const link = createClusterLink(new Map(addresses.map(node)), ranges, '{state}:')
  return { link, calls, ranges }
}

describe('shared-state/redis/cluster', () => {
  it('hashes keys as Redis does', () => {
    // redis.io, cluster specification, and CLUSTER KEYSLOT of a real server
    assert.deepEqual(['123456789', 'foo', 'bar', ''].map(slotOf), [12_739, 12_182, 5061, 0])
    assert.deepEqual(['{foo}.test', 'x{foo}y{bar}'].map(slotOf), [12_182, 12_182])
    assert.equal(slotOf('{}foo'), 9500)
    assert.equal(slotOf('{foo'), slotOf('{foo'))
  })

  it('names the masters, and the node that was asked where the cluster knows no name', () => {
    const { ranges } = setUp(() => undefined)
    assert.deepEqual(mastersOf(ranges), [
      { host: '10.0.0.1', port: 7000 },
      { host: '10.0.0.2', port: 7000 },
    ])
  })

  it('sends commands to the masters of their keys', async () => {
    const { link, calls } = setUp(([name, key]) => (name === 'EXISTS' ? 1 : name === 'DBSIZE' ? 3 : [key]))
    await link.call(['GETRANGE', 'bar', '0', '9'])
    await link.call(['MEMORY', 'USAGE', 'foo'])
    assert.equal(await link.call(['EXISTS', 'foo', 'bar']), 2)
    assert.deepEqual(await link.call(['MGET', 'foo', 'bar']), ['foo', 'bar'])
    assert.equal(await link.call(['DBSIZE']), 6)
    assert.deepEqual(calls, [
      '10.0.0.1:7000 GETRANGE bar 0 9',
      '10.0.0.2:7000 MEMORY USAGE foo',
      '10.0.0.2:7000 EXISTS foo',
      '10.0.0.1:7000 EXISTS bar',
      '10.0.0.2:7000 MGET foo',
      '10.0.0.1:7000 MGET bar',
      '10.0.0.1:7000 DBSIZE',
      '10.0.0.2:7000 DBSIZE',
    ])
    assert.deepEqual([link.channel, link.runId], ['polling', '10.0.0.1:7000 10.0.0.2:7000'])
  })

  it('scans all masters', async () => {
    const { link } = setUp(([, cursor], address) => [
      cursor === '0' ? '9007199254740993' : '0',
      [`${address} ${cursor}`],
    ])
    const found: unknown[] = []
    let cursor = '0'
    do {
      const [next, keys] = (await link.call(['SCAN', cursor, 'MATCH', '*'])) as [string, string[]]
      found.push(...keys)
      cursor = next
    } while (cursor !== '0')
    assert.deepEqual(found, [
      '10.0.0.1:7000 0',
      '10.0.0.1:7000 9007199254740993',
      '10.0.0.2:7000 0',
      '10.0.0.2:7000 9007199254740993',
    ])
  })

  it('follows slots that move, and those that are about to', async () => {
    const { link, calls } = setUp(([name, key], address) => {
      if (address !== '10.0.0.2:7000' || name === 'ASKING') return 'value'
      return new Error(`${key === 'foo' ? 'MOVED 12182' : 'ASK 12739'} 10.0.0.1:7000`)
    })
    for (const key of ['foo', 'foo', '123456789']) assert.equal(await link.call(['GETRANGE', key]), 'value')
    assert.deepEqual(calls, [
      '10.0.0.2:7000 GETRANGE foo',
      '10.0.0.1:7000 GETRANGE foo',
      '10.0.0.1:7000 GETRANGE foo',
      '10.0.0.2:7000 GETRANGE 123456789',
      '10.0.0.1:7000 ASKING',
      '10.0.0.1:7000 GETRANGE 123456789',
    ])
  })

  it('follows redirections without a host, which mean that of the node itself', async () => {
    const slots = [
      [0, 8191, [null, 7000, 'id']],
      [8192, 16_383, ['', 7001, 'id']],
    ]
    const addresses = ['10.0.0.2:7000', '10.0.0.2:7001']
    const reply: Replies = (_, address) => (address === addresses[1] ? new Error('MOVED 12182 :7000') : 'value')
    const { link, calls } = setUp(reply, slots, addresses)
    assert.equal(await link.call(['GETRANGE', 'foo']), 'value')
    assert.deepEqual(calls, ['10.0.0.2:7001 GETRANGE foo', '10.0.0.2:7000 GETRANGE foo'])
  })

  it('fails its check while the cluster, or the slot of all keys, is down', async () => {
    let error = new Error('CLUSTERDOWN Hash slot not served')
    const named = [
      [0, 8191, ['10.0.0.1', 7000, 'id']],
      [8192, 16_383, ['10.0.0.2', 7000, 'id']],
    ]
    const { link } = setUp(([name]) => (name === 'CLUSTER' ? named : error), named)
    await assert.rejects(link.check(), /CLUSTERDOWN/)
    // the check is about nothing else
    error = new Error("NOPERM this user has no permissions to run the 'exists' command")
    await link.check()
  })

  it('fails for slots that no known master serves', async () => {
    const { link } = setUp(() => new Error('MOVED 12182 10.0.0.9:7000'), halves.slice(1))
    await assert.rejects(link.call(['GETRANGE', 'foo']), /MOVED 12182 10\.0\.0\.9/)
    await assert.rejects(link.call(['GETRANGE', 'bar']), /no server for slot 5061/)
  })

  it('fails its check once the masters have changed, and follows their slots', async () => {
    let slots: unknown = halves
    const { link, calls } = setUp(([name]) => (name === 'CLUSTER' ? slots : 'value'))
    await link.check()
    slots = [
      [0, 16_000, ['10.0.0.2', 7000, 'id']],
      [16_001, 16_383, ['10.0.0.1', 7000, 'id']],
    ]
    await link.check()
    await link.call(['GETRANGE', 'bar'])
    assert.equal(calls.at(-1), '10.0.0.2:7000 GETRANGE bar')
    slots = [[0, 16_383, ['10.0.0.3', 7000, 'id']]]
    await assert.rejects(link.check(), /the masters of the cluster have changed/)
    link.close()
    assert.deepEqual(calls.slice(-2), ['10.0.0.1:7000 closed', '10.0.0.2:7000 closed'])
  })
})
