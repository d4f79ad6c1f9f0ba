import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyAll, type Change, revertAll } from '../../../supervisor/base/change.ts'

/** Changes that record their calls; `failing` cannot be applied, `throwing` throws. */
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

  it('reverts all changes, the last first', async () => {
    const { calls, all } = changes()
    await revertAll(all)
    assert.deepEqual(calls, ['revert c', 'revert b', 'revert a'])
  })
})
