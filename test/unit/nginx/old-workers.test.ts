import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createOldWorkers } from '../../../supervisor/nginx/old-workers.ts'

describe('nginx/old-workers', () => {
  it('counts the workers that are left, and ends the oldest beyond four reloads', () => {
    let children = [1, 2]
    const ended: number[] = []
    const warnings: object[] = []
    const log = { debug() {}, info() {}, error() {}, warn: (_: string, fields = {}) => void warnings.push(fields) }
    const old = createOldWorkers({ childrenOf: () => children, endWorker: pid => void ended.push(pid) }, log)
    assert.equal(old.count(), 0)
    for (let reload = 1; reload <= 4; reload++) {
      // old workers stay, beside the two of the next generation
      const before = [...children]
      children = [...children, 2 * reload + 1, 2 * reload + 2]
      old.replaced(42, before)
    }
    assert.deepEqual([old.count(), ended, warnings.length], [8, [], 0])
    children = [...children, 11, 12]
    old.replaced(42, children.slice(0, -2))
    assert.deepEqual([ended, warnings.length], [[1, 2], 1])
    children = [4, 11, 12]
    assert.equal(old.count(), 1)
    children = [13]
    assert.equal(old.count(), 0)
  })
})
