import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDuration } from '../../../supervisor/cli/duration-option.ts'

const bounds = { min: '1s', max: '10m' }

describe('cli/duration-option', () => {
  it('reads a duration within its bounds, which belong to it', () => {
    assert.deepEqual(
      ['1s', '90s', '10m'].map(text => readDuration('--for', text, bounds)),
      [1000, 90_000, 600_000],
    )
    assert.equal(readDuration('--drain', '2h'), 7_200_000)
  })

  for (const text of ['abc', '', '5', '-5s', '999ms', '0s', '11m'])
    it(`rejects ${JSON.stringify(text)} as invalid usage, with both bounds`, () => {
      const message = `--for ${JSON.stringify(text)} is not a duration from 1s to 10m`
      assert.throws(() => readDuration('--for', text, bounds), { message, code: 64, fix: /such as 30s/ })
    })

  it('names no bounds where there are none', () => {
    assert.throws(() => readDuration('--drain', 'long'), { message: '--drain "long" is not a duration', code: 64 })
  })
})
