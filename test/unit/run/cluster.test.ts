import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findInstanceId } from '../../../supervisor/run/adapters/instance-id.ts'
import { formatCluster, introduction, listCluster } from '../../../supervisor/run/cluster.ts'
import type { Member } from '../../../supervisor/shared-state/state.ts'

const now = Date.parse('2026-12-01T12:00:00Z')
const status = { state: 'ready' as const, workers: [] }

/** An instance as it last described itself. */
function member(id: string, { startedAgo = 100_000, toldAgo = 0, instance = id, host = 'one' }): Member {
  const told = { instance, host, version: '1.0.0', startedAt: now - startedAgo, now: now - toldAgo }
  return { id, ageMs: toldAgo, info: introduction({ ...told, status, events: { read: () => [] } }) }
}
const list = (...all: Member[]) => listCluster({ id: 'a', members: async () => all }, now)
const idsOf = async (...all: Member[]) => (await list(...all)).map(({ id }) => id).sort()

describe('run/cluster', () => {
  it('leaves out an instance that was killed once it has started again, and no other', async () => {
    const killed = member('a', { instance: 'x', toldAgo: 9000 })
    assert.deepEqual(await idsOf(killed, member('b', { instance: 'x', startedAgo: 4000 })), ['b'])
    assert.deepEqual(await idsOf(killed, member('b', { startedAgo: 4000 })), ['a', 'b'])
    // both are alive, although they say that they are one
    assert.deepEqual(await idsOf(member('a', { instance: 'x' }), member('b', { instance: 'x', startedAgo: 4000 })), [
      'a',
      'b',
    ])
    const often = [30_000, 20_000, 10_000].map((startedAgo, at) =>
      member(`k${at}`, { instance: 'x', startedAgo, toldAgo: startedAgo - 5000 }),
    )
    assert.deepEqual(await idsOf(...often), ['k2'])
    assert.deepEqual(await idsOf(member('a', { startedAgo: 0 })), ['a'])
  })

  it('tells instances on one host apart, and says which one is gone and when it was seen', async () => {
    const members = await list(
      member('a', { instance: '11111111' }),
      member('b', { instance: '22222222', toldAgo: 30_000 }),
    )
    assert.deepEqual(
      members.map(({ state, isThis, seenAt }) => ({ state, isThis, seenAt })),
      [
        { state: 'ready', isThis: true, seenAt: '2026-12-01T12:00:00.000Z' },
        { state: 'gone', isThis: false, seenAt: '2026-12-01T11:59:30.000Z' },
      ],
    )
    const rows = formatCluster(members).split('\n').slice(1, 3)
    assert.match(rows[0] ?? '', /^one {3}11111111 \* {2}1\.0\.0 {4}ready /)
    assert.match(rows[1] ?? '', /^one {3}22222222 {4}1\.0\.0 {4}gone .* 30 s ago /)
  })

  it('lists an instance that says nothing about itself', async () => {
    const [found] = await list({ id: '0123456789', ageMs: 0, info: {} })
    assert.deepEqual([found?.instance, found?.host, found?.state], ['01234567', '?', 'not ready'])
  })
})

describe('run/adapters/instance-id', () => {
  it('stays for a state_dir and a host name, and differs for others', t => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-id-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const stateDir = join(folder, 'state')
    const id = findInstanceId({ stateDir, host: 'one' })
    assert.match(id, /^[0-9a-f]{8}$/)
    assert.equal(findInstanceId({ stateDir, host: 'one' }), id)
    assert.notEqual(findInstanceId({ stateDir, host: 'two' }), id)
    assert.notEqual(findInstanceId({ stateDir: join(folder, 'other'), host: 'one' }), id)
  })

  it('is of the path if nothing can be written there', () => {
    const of = (name: string) => findInstanceId({ stateDir: join(import.meta.filename, name), host: 'one' })
    assert.equal(of('state'), of('state'))
    assert.notEqual(of('state'), of('other'))
  })
})
