import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { applyAll, type Change, inOrder, revertAll } from '../../../supervisor/base/change.ts'
import type { RollResult } from '../../../supervisor/base/roll-result.ts'

/** Changes that record their calls; of which one step fails, such as `try b`, or throws. */
function triedChanges(failing?: string, throwing?: string): { calls: string[]; all: Change[] } {
  const calls: string[] = []
  async function note(call: string): Promise<RollResult> {
    calls.push(call)
    if (call === throwing) throw new Error(`${call} throws`)
    return call === failing ? { ok: false, reason: `no ${call}`, lastLines: [] } : { ok: true }
  }
  const all = ['a', 'b', 'c'].map(
    (name): Change => ({
      try: () => note(`try ${name}`),
      apply: () => note(`apply ${name}`),
      revert: () => note(`revert ${name}`),
    }),
  )
  return { calls, all }
}

/** The same without trials; `failing` and `throwing` are names. */
function changes(failing?: string, throwing?: string): { calls: string[]; all: Change[] } {
  const calls: string[] = []
  const all = ['a', 'b', 'c'].map(
    (name): Change => ({
      async apply() {
        calls.push(`apply ${name}`)
        if (name === throwing) throw new Error(`${name} throws`)
        return name === failing ? { ok: false, reason: `no ${name}`, lastLines: [] } : { ok: true }
      },
      async revert() {
        calls.push(`revert ${name}`)
      },
    }),
  )
  return { calls, all }
}

describe('base/change', () => {
  it('applies changes in order', async () => {
    const { calls, all } = changes()
    assert.deepEqual(await applyAll(all), { ok: true })
    assert.deepEqual(calls, ['apply a', 'apply b', 'apply c'])
  })

  it('reverts the changes before one that fails, the last first', async () => {
    const { calls, all } = changes('c')
    assert.deepEqual(await applyAll(all), { ok: false, reason: 'no c', lastLines: [] })
    assert.deepEqual(calls, ['apply a', 'apply b', 'apply c', 'revert b', 'revert a'])
  })

  it('reverts the changes before one that throws, and rethrows', async () => {
    const { calls, all } = changes(undefined, 'b')
    await assert.rejects(applyAll(all), /b throws/)
    assert.deepEqual(calls, ['apply a', 'apply b', 'revert a'])
  })

  const trials: [string, string, string[]][] = [
    ['the trials before one that fails', 'try c', ['try a', 'try b', 'try c', 'revert b', 'revert a']],
    [
      'the changes before one that fails and the trials after it',
      'apply b',
      ['try a', 'try b', 'try c', 'apply a', 'apply b', 'revert c', 'revert a'],
    ],
  ]
  for (const [what, step, expected] of trials) {
    it(`tries all changes before it applies any, and reverts ${what}`, async () => {
      for (const act of [applyAll, (all: Change[]) => applyAll([inOrder(all)])]) {
        const failing = triedChanges(step)
        assert.deepEqual(await act(failing.all), { ok: false, reason: `no ${step}`, lastLines: [] })
        assert.deepEqual(failing.calls, expected)
        const throwing = triedChanges(undefined, step)
        await assert.rejects(act(throwing.all), new RegExp(`${step} throws`))
        assert.deepEqual(throwing.calls, expected)
      }
    })
  }

  it('tries all changes side by side, and applies none before the last has passed', async () => {
    const { calls, all } = triedChanges()
    const slow = Promise.withResolvers<RollResult>()
    const applied = applyAll([{ try: () => slow.promise }, ...all])
    await setImmediate()
    assert.deepEqual(calls, ['try a', 'try b', 'try c'])
    slow.resolve({ ok: true })
    await applied
    assert.deepEqual(calls.slice(3), ['apply a', 'apply b', 'apply c'])
  })

  it('waits for all trials before it reverts those that passed', async () => {
    const calls: string[] = []
    const slow = Promise.withResolvers<RollResult>()
    const failed: RollResult = { ok: false, reason: 'no', lastLines: [] }
    const applied = applyAll([
      { try: () => slow.promise, revert: () => calls.push('revert slow') },
      { try: async () => failed, revert: () => calls.push('revert failed') },
    ])
    await setImmediate()
    assert.deepEqual(calls, [])
    slow.resolve({ ok: true })
    assert.deepEqual(await applied, failed)
    assert.deepEqual(calls, ['revert slow'])
  })

  it('reverts several steps as one, in whatever state they are', async () => {
    for (const [begun, undone] of [
      [[], []],
      [['try'], ['revert c', 'revert b', 'revert a']],
      [
        ['try', 'apply'],
        ['revert c', 'revert b', 'revert a'],
      ],
    ] as [('try' | 'apply')[], string[]][]) {
      const { calls, all } = triedChanges()
      const steps = inOrder(all)
      for (const step of begun) await steps[step]()
      assert.equal(steps.isApplied(), begun.includes('apply'))
      await steps.revert()
      await steps.revert()
      assert.deepEqual(calls.slice(begun.length * 3), undone)
    }
  })

  it('reverts all changes, the last first', async () => {
    const { calls, all } = changes()
    await revertAll(all)
    assert.deepEqual(calls, ['revert c', 'revert b', 'revert a'])
  })
})
