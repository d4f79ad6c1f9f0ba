import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stepProcess } from '../../../supervisor/processes/process-state.ts'
import { lookAt, watchEveryMs } from '../../../supervisor/workers/hangs/watch-policy.ts'
import { startWatchdog } from '../../../supervisor/workers/hangs/watchdog.ts'
import { createHandClock } from '../hand-clock.ts'

describe('workers/hangs/watch-policy', () => {
  it('checks several times within the timeout, and at least every 10 s', () => {
    assert.deepEqual([100_000, 30_000, 8000, 2].map(watchEveryMs), [10_000, 10_000, 2666, 1])
  })

  it('reports silence beyond the timeout, and not before', () => {
    const watch = { lastSignAt: 1000, lastLookAt: 9000 }
    assert.equal(lookAt(watch, 11_000, 10_000).silentMs, undefined)
    assert.equal(lookAt(watch, 11_001, 10_000).silentMs, 10_001)
  })

  it('does not count time in which the supervisor was suspended', () => {
    const watch = { lastSignAt: 10_000, lastLookAt: 10_000 }
    const after = lookAt(watch, 3_610_000, 30_000)
    assert.deepEqual(after, { watch: { lastSignAt: 3_600_000, lastLookAt: 3_610_000 }, silentMs: undefined })
    assert.equal(lookAt(after.watch, 3_615_000, 30_000).silentMs, undefined)
  })
})

describe('workers/hangs/watchdog', () => {
  it('looks at the same moments for all workers, and at the end of a timeout', async () => {
    const { clock, advance } = createHandClock()
    const silences: string[] = []
    const watchdogs = [0, 3000].map(afterMs => ({ afterMs, end: () => {}, sign: () => {} }))
    for (const one of watchdogs) {
      await advance(one.afterMs)
      const onSilence = (silentMs: number) => silences.push(`${silentMs} at ${clock.monotonic()}`)
      Object.assign(one, startWatchdog({ clock, timeoutMs: 30_000, onSilence }))
    }
    await advance(17_000)
    for (const { sign } of watchdogs) sign()
    await advance(30_000)
    assert.deepEqual(silences, [])
    await advance(1)
    assert.deepEqual(silences, ['30001 at 50001', '30001 at 50001'])
  })
})

describe('processes/process-state: a hang', () => {
  const ready = { name: 'ready', startedAt: 0, readyAt: 5 } as const

  it('ends a ready process with SIGKILL, or with SIGABRT and then SIGKILL', () => {
    const killed = stepProcess(ready, { type: 'hangFound', ending: 'kill' })
    assert.deepEqual(
      [killed.state.name, killed.effects.at(-1)],
      ['killed', { type: 'signal', to: 'group', signal: 'kill' }],
    )
    const aborted = stepProcess(ready, { type: 'hangFound', ending: 'abort' })
    assert.deepEqual(aborted.effects.slice(1), [
      { type: 'signal', to: 'process', signal: 'abort' },
      { type: 'arm', timer: 'grace' },
    ])
    const after = stepProcess(aborted.state, { type: 'graceDeadlinePassed' })
    assert.deepEqual(after.effects.at(-1), { type: 'signal', to: 'group', signal: 'kill' })
  })

  it('has no effect on a process that boots or stops', () => {
    const stopping = { name: 'stopping', startedAt: 0, readyAt: 5, cause: 'requested' } as const
    for (const state of [{ name: 'booting', startedAt: 0 } as const, stopping])
      assert.deepEqual(stepProcess(state, { type: 'hangFound', ending: 'kill' }), { state, effects: [] })
  })
})
