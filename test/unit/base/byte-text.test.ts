import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf, textOf } from '../../../supervisor/base/byte-text.ts'

describe('base/byte-text', () => {
  const cases: [string, number[]][] = [
    ['nothing', []],
    ['ASCII and NUL', [0x61, 0, 0x7f]],
    ['UTF-8 of every length', [...Buffer.from('ä€😀')]],
    ['Latin-1', [0x70, 0xe4, 0x73, 0x73]],
    ['a sequence that is cut off, twice', [0xe2, 0x82, 0xf0, 0x9f, 0x98]],
    ['UTF-8 beside other bytes', [0xff, ...Buffer.from('😀'), 0x80, ...Buffer.from('é'), 0xfe]],
    ['surrogates and overlong forms, which are not UTF-8', [0xed, 0xb3, 0xa4, 0xc0, 0x80, 0xf5, 0x80, 0x80, 0x80]],
    ['every byte', Array.from({ length: 256 }, (_, byte) => byte)],
  ]
  for (const [name, bytes] of cases)
    it(`gives back ${name}`, () => assert.deepEqual([...bytesOf(textOf(Buffer.from(bytes)))], bytes))

  it('reads UTF-8 as what it is', () => {
    assert.equal(textOf(Buffer.from('grün 😀')), 'grün 😀')
    assert.equal(textOf(Buffer.from([0x67, 0x72, 0xfc, 0x6e])).replace('\udcfc', 'ü'), 'grün')
  })
})
