// needs: redis-server
// before a release: two minutes
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { JobState, RunRecord } from '../../supervisor/programs/jobs/record.ts'
import { assertGapless, createReplicas, recordOf } from './job-replicas.ts'
import { fixture, startMonohull, temporaryFolder, until } from './monohull.ts'
import { startRedis } from './redis-server.ts'

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
  it('of three instances, each second: each due time runs exactly once or is reported, while one is killed every 20 s', {
    timeout: 240_000,
  }, async t => {
    const redis = await startRedis(t)
    const done = join(temporaryFolder(t), 'done')
    const files = {
      'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }
shared_state: { url: "${redis.store}" }
jobs: { report: { schedule: "* * * * * *", once: cluster, command: [sh, -c, 'echo run >> ${done}'] } }
`,
    }
    const all: ReturnType<typeof startMonohull>[] = []
    const start = () => {
      const instance = startMonohull(t, { files, env: { MONOHULL_WORKERS: undefined } })
      all.push(instance)
      return instance
    }
    const runs = new Map<string, RunRecord>()
    /** Each instance keeps the last fifty runs: they are collected more often. */
    async function collect(ms: number): Promise<void> {
      const end = performance.now() + ms
      for (;;) {
        const text = await redis.cli('hget', recordOf('report'), 'value')
        const state = text === '' ? undefined : (JSON.parse(text) as JobState)
        for (const run of state?.runs ?? []) runs.set(run.id, run)
        if (performance.now() >= end) return
        await pause(Math.min(1000, end - performance.now()))
      }
    }

    let alive = [start(), start(), start()]
    await Promise.all(alive.map(instance => instance.serving()))
    await until('the first run', () => existsSync(done))
    for (let kills = 1; kills <= 6; kills++) {
      await collect(20_000)
      const [victim, ...others] = alive
      victim?.signal('SIGKILL')
      await victim?.exited
      const next = start()
      await next.serving()
      alive = [...others, next]
    }
    await collect(5000)
    for (const instance of alive) instance.signal('SIGTERM')
    await Promise.all(alive.map(instance => instance.exited))
    await collect(0)
    const output = all.map(instance => instance.output()).join('\n')
    const { ran, skipped, missed } = assertGapless([...runs.values()], output, 1000)
    const times = readFileSync(done, 'utf8').split('\n').length - 1
    t.diagnostic(`${ran} runs, ${skipped} skipped, ${missed} missed; the command ran ${times} times`)
    const ended = [...runs.values()].filter(({ result }) => result === 'success').length
    assert.ok(times >= ended && times <= ran, `${ended} successful of ${ran} runs`)
    assert.ok(ran + skipped + missed >= 110)
  })
})
