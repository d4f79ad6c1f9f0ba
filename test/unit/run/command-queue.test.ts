import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCommandQueue } from '../../../supervisor/run/command-queue.ts'
import { systemError } from '../refusing-system.ts'

describe('the queue of commands', { timeout: 5000 }, () => {
  it('goes on after one that the system refused, which fails with the errno and what to do', async () => {
    const refusals = [systemError('EMFILE', 'open'), systemError('ENOSPC', 'write')]
    const queue = createCommandQueue({
      async run() {
        const refusal = refusals.shift()
        if (refusal) throw refusal
        return { ok: true, message: 'done' }
      },
      stop() {},
      ready: Promise.resolve(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
    const outcomes = await Promise.all(Array.from({ length: 3 }, () => queue.push({ type: 'reload' }, 'a test')))
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [false, false, true],
    )
    assert.match(JSON.stringify(outcomes), /EMFILE: .*; raise the limit.*ENOSPC: .*; free space/)
  })
})
