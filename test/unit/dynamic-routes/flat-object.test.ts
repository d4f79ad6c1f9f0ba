import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readFlatObject } from '../../../supervisor/dynamic-routes/flat-object.ts'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

describe('dynamic-routes/flat-object', () => {
  it('reads plain objects, however they are indented', () => {
    const object = { 'a.test': 'web', 'b.test': '10.0.0.2:80', __proto: '', 'ü.test': 'é' }
    for (const indent of [0, 2, '\t'])
      assert.deepEqual(Object.fromEntries(readFlatObject(`${JSON.stringify(object, null, indent)}\r\n`) ?? []), object)
  })

  it('leaves everything else to JSON.parse', () => {
    for (const text of [
      '',
      '{}',
      '[]',
      '{"a": 1}',
      '{"a": "\\u0062"}',
      '{"a": "b",}',
      '{"a": "b"} x',
      '{"a": "\n"}',
      '{"a" "b"}',
      '{"a": "b"',
    ])
      assert.equal(readFlatObject(text), undefined, text)
  })

  it('never reads a text otherwise than JSON.parse', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '"a"',
      '"b"',
      '"a.test"',
      ':',
      ',',
      ' ',
      '\n',
      '"\\n"',
      '"',
      '\\',
      '1',
      '\u00a0',
      '\u0001',
    )
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map(parts => parts.join('')),
      fc.dictionary(fc.string(), fc.string()).map(object => JSON.stringify(object, null, 1)),
    )
    fc.assert(
      fc.property(text, found => {
        const entries = readFlatObject(found)
        if (entries) assert.deepEqual(new Map(Object.entries(Object(parsed(found)))), entries)
      }),
      { numRuns: 5000 },
    )
  })
})
