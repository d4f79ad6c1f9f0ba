import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../../supervisor/base/adapters/system-clock.ts'
import { openJobStore } from '../../../../supervisor/programs/jobs/adapters/store.ts'
import type { JobState } from '../../../../supervisor/programs/jobs/record.ts'

const state: JobState = { schedule: '0 4 * * * UTC', seenAt: '2026-12-01T04:00:00.000Z', isPaused: false, runs: [] }

function openStore(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const directory = join(folder, 'state/jobs')
  return { directory, store: openJobStore(directory, systemClock) }
}

describe('programs/jobs/adapters/store', { timeout: 20_000 }, () => {
  it('keeps a state that only its owner reads, and leaves nothing else', async t => {
    const { directory, store } = openStore(t)
    assert.equal(await store.read('report'), undefined)
    await store.update('report', () => undefined)
    assert.equal(await store.read('report'), undefined)
    await store.update('report', found => {
      assert.equal(found, undefined)
      return state
    })
    assert.deepEqual(await store.read('report'), state)
    assert.deepEqual(readdirSync(directory), ['report.json'])
    assert.equal(statSync(join(directory, 'report.json')).mode & 0o777, 0o600)
    assert.equal(statSync(directory).mode & 0o777, 0o700)
  })

  it('creates the state of a job that has none', async t => {
    const { directory, store } = openStore(t)
    assert.equal(store.create?.('report', state), true)
    assert.deepEqual(await store.read('report'), state)
    assert.equal(store.create?.('report', { ...state, isPaused: true }), false)
    assert.deepEqual(await store.read('report'), state)
    assert.deepEqual(readdirSync(directory), ['report.json'])
    assert.equal(statSync(join(directory, 'report.json')).mode & 0o777, 0o600)
  })

  it('loses no change of two instances', async t => {
    const { directory, store } = openStore(t)
    const other = openJobStore(directory, systemClock)
    await store.update('report', () => state)
    const count = (found: JobState | undefined) => ({
      ...state,
      seenAt: new Date(Date.parse(found?.seenAt ?? '') + 1000).toISOString(),
    })
    const run = async (one: typeof store) => {
      for (let turn = 0; turn < 10; turn++) await one.update('report', count)
    }
    await Promise.all([run(store), run(other)])
    assert.equal((await store.read('report'))?.seenAt, '2026-12-01T04:00:20.000Z')
  })

  it('replaces what is damaged, and what a kill has left', async t => {
    const { directory, store } = openStore(t)
    mkdirSync(directory, { recursive: true })
    for (const text of [
      '',
      '{"schedule":"0 4',
      '[]',
      'null',
      '{"schedule":"x","seenAt":"never","isPaused":false,"runs":[]}',
    ]) {
      writeFileSync(join(directory, 'report.json'), text)
      writeFileSync(join(directory, 'report.json.next'), '{"half')
      assert.equal(await store.read('report'), undefined)
      await store.update('report', () => state)
      assert.deepEqual(await store.read('report'), state)
    }
    assert.deepEqual(readdirSync(directory), ['report.json'])
  })

  it('rejects with the reason of the system, and leaves the last state', async t => {
    const { directory, store } = openStore(t)
    await store.update('report', () => state)
    mkdirSync(join(directory, 'report.json.next', 'full'), { recursive: true })
    await assert.rejects(
      store.update('report', () => ({ ...state, isPaused: true })),
      /EISDIR/,
    )
    assert.deepEqual(await store.read('report'), state)
  })
})
