import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyAll, type Change, revertAll } from '../../../supervisor/base/change.ts'

/** Changes that write down what they are told, of which `failing` cannot be done. */
function changes(failing?: string): { told: string[]; all: Change[] } {
  const told: string[] = []
  const all = ['a', 'b', 'c'].map(
    (name): Change => ({
      async apply() {
        told.push(`apply ${name}`)
        return name === failing ? { ok: false, reason: `no ${name}`, lastLines: [] } : { ok: true }
      },
      async revert() {
        told.push(`revert ${name}`)
      },
    }),
  )
  return { told, all }
}

describe('services/changes', () => {
  it('are applied one after the other', async () => {
    const { told, all } = changes()
    assert.deepEqual(await applyAll(all), { ok: true })
    assert.deepEqual(told, ['apply a', 'apply b', 'apply c'])
  })

  it('are taken back before the one that failed, the last first', async () => {
    const { told, all } = changes('c')
    assert.deepEqual(await applyAll(all), { ok: false, reason: 'no c', lastLines: [] })
    assert.deepEqual(told, ['apply a', 'apply b', 'apply c', 'revert b', 'revert a'])
  })

  it('are all taken back when something after them failed', async () => {
    const { told, all } = changes()
    await revertAll(all)
    assert.deepEqual(told, ['revert c', 'revert b', 'revert a'])
  })
})
