import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainLine, plainText } from '../../../supervisor/base/plain-text.ts'
import { formatTable } from '../../../supervisor/base/text-table.ts'

const hostile = 'a\u001b[31mred\u001b[0m\u001b]0;title\u0007 b\u001b[2Jc\rd\u009b1me\u0000'

describe('plain text', () => {
  it('has nothing that controls a terminal, and keeps lines, tabs and letters', () => {
    assert.doesNotMatch(plainText(hostile), /[\u0000-\u001f\u007f-\u009f]/)
    assert.match(plainText(hostile), /^ared bc d/)
    assert.equal(plainText('Grüße 👋\n\tnext\n'), 'Grüße 👋\n\tnext\n')
    assert.equal(plainLine('one\ntwo'), 'one two')
  })

  it('is what the cells of a table contain, and what their width is', () => {
    assert.equal(
      formatTable([
        ['A', 'B'],
        ['\u001b[31mx\u001b[0m\n', 'y'],
      ]),
      'A   B\nx   y\n',
    )
  })
})
