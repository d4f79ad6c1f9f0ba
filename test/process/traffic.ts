import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { defer, type Monohull } from './monohull.ts'

const betweenMs = 25

/** Asks over HTTPS all the time, from when it serves until the test ends it: one request that is not answered with 200 fails the test. */
export function keepAsking(t: TestContext, monohull: Monohull): void {
  const failures: string[] = []
  let answered = 0
  let isOver = false
  const isEnding = () => isOver || monohull.process.killed

  async function askAgainAndAgain(): Promise<void> {
    await monohull.serving()
    // a test that is over soon is asked in once all the same
    do {
      const failure = await monohull.request().then(
        ({ status }) => (status === 200 ? undefined : String(status)),
        (error: Error) => error.message,
      )
      if (failure === undefined) answered++
      else if (!isEnding()) failures.push(failure)
      await pause(betweenMs)
    } while (!isEnding())
  }

  const asked = askAgainAndAgain()
  asked.catch(() => {}) // looked at in the end
  defer(t, async () => {
    isOver = true
    await asked
    assert.deepEqual(failures, [])
    assert.ok(answered > 0, 'nothing was asked')
  })
}
