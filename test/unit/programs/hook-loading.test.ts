import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutDescriptors } from '../without-descriptors.ts'
import { createFaultyHooks, facts, plans } from './faulty-hooks.ts'

// in a file of its own: what runs hooks must not have been loaded before
describe('hooks whose program cannot be loaded for want of descriptors', { timeout: 10_000 }, () => {
  it('fail with a reason, end nothing, and run when they can', async () => {
    const { hooks, children, lines, advance } = createFaultyHooks()
    await withoutDescriptors(async () => {
      hooks.enqueue('worker_exit', plans, facts)
      await hooks.attempt('before_stop', plans)
    })
    assert.deepEqual([children.length, lines.length], [0, 2])
    for (const line of lines) assert.match(line, /hook=\w+ .*EMFILE/)
    hooks.enqueue('worker_exit', plans, facts)
    for (let turn = 0; turn < 1000 && children.length === 0; turn++) await advance(0)
    children[0]?.exit({ kind: 'code', code: 0 })
    await hooks.settled()
    assert.equal(lines.length, 2)
  })
})
