import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { appPlan, createFaultyPool } from './faulty-pool.ts'

describe('workers/recycler', () => {
  it('replaces a worker whose memory stays above max_memory, not one with a peak', async () => {
    let bytes = 0
    const recycle = { ...appPlan.recycle, maxMemoryBytes: 100 }
    const faulty = createFaultyPool(
      { count: 1, minUptimeMs: 0, recycle },
      { memoryOf: groups => new Map(groups.map(group => [group, bytes])) },
    )
    await faulty.serve()
    const isRecycling = () => faulty.lines.some(line => /recycling worker .*reason=max_memory value=150/.test(line))
    for (const peakMs of [1000, 2000, 2000]) {
      bytes = 150
      await faulty.advance(peakMs)
      bytes = 50
      await faulty.advance(1000)
      assert.ok(!isRecycling(), `a peak of ${peakMs} ms`)
    }
    // a heap snapshot takes as much memory again
    const endProfile = faulty.pool.worker('app.1')?.hold()
    bytes = 150
    await faulty.advance(5000)
    assert.ok(!isRecycling(), 'while a profile is recorded')
    endProfile?.()
    await faulty.advance(3000)
    assert.ok(isRecycling())
  })
})

describe('a worker that is stopped at boot_timeout', () => {
  it('reports that, and not the exit code of the signal', async () => {
    const faulty = createFaultyPool({ count: 1, bootTimeoutMs: 500 })
    const started = faulty.pool.start()
    faulty.worker(1).notify('STATUS', 'booting')
    await faulty.advance(2000)
    const line = faulty.lines.find(each => each.includes('worker died')) ?? ''
    assert.match(line, /exit="stopped at boot_timeout" reason="it did not listen within boot_timeout 500ms/)
    const result = await started
    assert.ok(!result.ok)
    assert.deepEqual(result.death?.exit, { kind: 'code', code: 1 })
    assert.match(result.death?.reason ?? '', /did not listen within boot_timeout/)
  })
})
