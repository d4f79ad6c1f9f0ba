import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { asOperatorError, OperatorError } from '../../../supervisor/base/errors.ts'

function fixOf(act: () => unknown): string {
  try {
    act()
  } catch (thrown) {
    const error = asOperatorError(thrown, 'do it')
    if (error instanceof OperatorError) return error.fix
  }
  return assert.fail('no operator error')
}

describe('base/errors', () => {
  it('have a fix of their own for each error of a path', () => {
    const fixes = ['/nonexistent', '/', '/etc/passwd/x', `/${'x'.repeat(300)}`].map(path =>
      fixOf(() => readFileSync(path)),
    )
    assert.equal(new Set(fixes).size, fixes.length, fixes.join('\n'))
    assert.match(fixes[0] ?? '', /correct the path, or create it/)
  })

  it('lead to the diagnosis where nothing better is known', () => {
    const odd = Object.assign(new Error('odd'), { code: 'EBADMSG' })
    assert.match(
      fixOf(() => {
        throw odd
      }),
      /monohull doctor/,
    )
  })
})
