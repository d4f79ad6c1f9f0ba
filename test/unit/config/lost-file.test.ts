import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findLoss } from '../../../supervisor/config/lost-file.ts'

const path = 'monohull.yaml'
const former = 'https: off\n# staff only\nbasic_auth: { file: staff }\nworkers: 16\n'
const problemOf = (before: string | undefined, after: string | undefined, isWhole = false) =>
  findLoss(
    before === undefined ? undefined : { path, text: before, isWhole: false },
    after === undefined ? undefined : { path, text: after, isWhole },
  )?.problem

describe('config/lost-file: findLoss', () => {
  it('finds a file that is gone', () => {
    assert.match(problemOf(former, undefined) ?? '', /is gone/)
  })

  for (const [what, text] of [
    ['empty', ''],
    ['blank', ' \n\n'],
    ['of comments only', '# https: off\n  # more\n'],
    ['a document without keys', '%YAML 1.2\n--- # nothing\n...\n'],
    ['an empty mapping', '{ }\n'],
    ['a null', '~'],
    ['a byte order mark', '\uFEFF'],
  ] as const) {
    it(`finds a file that is now ${what}`, () => {
      assert.match(problemOf(former, text) ?? '', /contains no keys any more/)
      assert.equal(problemOf(text, undefined), undefined, 'there is nothing to lose')
    })
  }

  it('finds a file that was cut off, within a line and between two', () => {
    assert.match(problemOf(former, 'https: off\n') ?? '', /ends after line 1: it looks cut off/)
    assert.match(problemOf(former, former.slice(0, -2)) ?? '', /ends after line 4/)
    assert.match(problemOf(former, former.slice(0, -3)) ?? '', /ends after line 4/)
  })

  it('accepts a shorter file that was replaced as a whole, such as one of a ConfigMap', () => {
    assert.equal(problemOf(former, 'https: off\n', true), undefined)
    assert.match(problemOf(former, '', true) ?? '', /contains no keys any more/)
  })

  it('accepts every other change', () => {
    for (const text of [
      former,
      former.trimEnd(),
      'https: off\nworkers: 16\n',
      `${former}rate_limit: 1/s\n`,
      'https: "off"\n',
    ])
      assert.equal(problemOf(former, text), undefined, text)
    assert.equal(problemOf(`${former}# the end\n\n`, former), undefined)
    assert.equal(problemOf(undefined, former), undefined)
    assert.equal(problemOf(undefined, undefined), undefined)
  })
})
