import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatProblems, shortValue } from '../../../supervisor/config/report.ts'

describe('config/report', () => {
  for (const value of ['redis://:topsecret@127.0.0.1', { store: 'rediss://user:topsecret@redis:6379/1' }])
    it(`shows ${JSON.stringify(value).replace('topsecret', '…')} without its password`, () => {
      const text = formatProblems([
        { key: 'dynamic_routes', source: 'monohull.yaml:1', value, problem: 'is wrong', fix: 'x' },
      ])
      assert.doesNotMatch(text, /topsecret/)
      assert.match(text, /:\/\/•+@/)
      assert.doesNotMatch(JSON.stringify({ value }, shortValue), /topsecret/)
    })

  it('shows a URL without one as it is', () => {
    assert.equal(shortValue('', 'https://example.com/a@b'), 'https://example.com/a@b')
  })
})
