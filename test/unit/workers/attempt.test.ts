import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RollResult } from '../../../supervisor/base/roll-result.ts'
import { createAttempt, type Trial } from '../../../supervisor/workers/attempt.ts'
import { createHandClock } from '../hand-clock.ts'

const worker = 2

/** Attempt whose worker took `bootMs` to become ready, and a look at its result after more time. */
async function readyAfter(bootMs: number, trial: Trial | undefined) {
  const { clock, advance } = createHandClock()
  const attempt = createAttempt(clock, trial)
  attempt.began(worker)
  await advance(bootMs)
  attempt.readied(worker)
  return {
    attempt,
    async resultAfter(ms: number): Promise<RollResult | undefined> {
      await advance(ms)
      return attempt.result()
    },
  }
}

describe('the trial of a worker', () => {
  for (const [longestMs, bootMs, trialMs] of [
    [2000, 0, 500],
    [2000, 100, 500],
    [2000, 200, 1000],
    [2000, 400, 2000],
    [2000, 60_000, 2000],
    [300, 0, 300],
    [10_000, 100, 2500],
  ] as const)
    it(`of ${longestMs} ms lasts ${trialMs} ms after a boot of ${bootMs} ms`, async () => {
      const { resultAfter } = await readyAfter(bootMs, { ms: longestMs })
      assert.equal(await resultAfter(trialMs - 1), undefined)
      assert.deepEqual(await resultAfter(1), { ok: true })
    })

  it('is failed by a death, and stays failed', async () => {
    const { attempt, resultAfter } = await readyAfter(100, { ms: 2000 })
    const died: RollResult = { ok: false, reason: 'app.1: died', lastLines: [] }
    await resultAfter(499)
    attempt.failed(died)
    assert.deepEqual(await resultAfter(2000), died)
  })

  it('ends at once with min_uptime 0, and without a trial', async () => {
    for (const trial of [{ ms: 0 }, undefined])
      assert.deepEqual(await (await readyAfter(100, trial)).resultAfter(0), { ok: true })
  })

  it('is measured from the start of the first worker, not of one that follows it', async () => {
    const { clock, advance } = createHandClock()
    const attempt = createAttempt(clock, { ms: 2000 })
    attempt.began(worker)
    await advance(400)
    attempt.began(worker + 1)
    attempt.readied(worker)
    await advance(1999)
    assert.equal(attempt.result(), undefined)
  })
})
