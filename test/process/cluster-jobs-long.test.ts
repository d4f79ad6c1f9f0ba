// needs: redis-server
// before a release: two minutes
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createReplicas } from './job-replicas.ts'
import { until } from './monohull.ts'

describe('jobs with once: cluster, for two minutes', () => {
  it('deal with each due time exactly once, whenever replicas are killed and frozen', async t => {
    const world = await createReplicas(t, { jitterMs: 600_000 })
    let alive = [world.start(0), world.start(300_000), world.start(-300_000)]
    await until('the first run', () => world.runs.size >= 1, { details: world.output })
    for (let round = 1; round <= 6; round++) {
      // at any moment, also in a run
      await pause(10_000 + Math.random() * 1000)
      const [victim, frozen, other] = alive
      await victim?.kill()
      frozen?.process.kill('SIGSTOP')
      await pause(8000 + Math.random() * 1000)
      frozen?.process.kill('SIGCONT')
      alive = [other, frozen, world.start(round * 100_000)].filter(replica => replica !== undefined)
    }
    const { ran, skipped, missed } = world.assertGapless()
    t.diagnostic(`${ran} runs, ${skipped} skipped, ${missed} missed`)
    assert.ok(ran >= 10)
    assert.ok(world.done() <= world.runs.size)
  })
})
