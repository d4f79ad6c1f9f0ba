import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemError } from '../refusing-system.ts'
import { createFaultyHooks, facts, plans } from './faulty-hooks.ts'

describe('hooks that the system does not start', { timeout: 10_000 }, () => {
  for (const code of ['EAGAIN', 'EMFILE'] as const) {
    it(`by ${code} fail with a reason, and run when they can`, async () => {
      const { hooks, refuse, children } = createFaultyHooks()
      refuse.spawn = systemError(code, 'spawn notify')
      const result = await hooks.run('before_reload', plans)
      assert.match(JSON.stringify(result), new RegExp(`"ok":false,"reason":"${code}.*; raise`))
      refuse.spawn = undefined
      const again = hooks.run('before_reload', plans)
      await new Promise(resolve => setImmediate(resolve))
      children[0]?.exit({ kind: 'code', code: 0 })
      assert.deepEqual(await again, { ok: true })
    })
  }

  it('in the background are logged, one by one, and hold up neither those that wait nor the end', async () => {
    const { hooks, refuse, children, lines, advance } = createFaultyHooks()
    refuse.spawn = systemError('EAGAIN', 'spawn notify')
    for (let count = 0; count < 10; count++) hooks.enqueue('worker_exit', plans, facts)
    await advance(0)
    await hooks.settled()
    assert.equal(lines.filter(line => /hook=worker_exit worker=app\.1 reason="EAGAIN/.test(line)).length, 10)
    refuse.spawn = undefined
    hooks.enqueue('worker_exit', plans, facts)
    await advance(0)
    assert.equal(children.length, 1)
    const ended = hooks.end()
    await advance(1000)
    await ended
  })
})
