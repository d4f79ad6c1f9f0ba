import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { validText } from '../../../supervisor/base/valid-text.ts'

describe('text of any bytes', () => {
  it('is the text itself if they are UTF-8', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => validText(Buffer.from(text)) === Buffer.from(text).toString()),
    ))

  it('has every other byte as \\xFF, and only those', () =>
    fc.assert(
      fc.property(fc.uint8Array({ max: 0xff }), bytes => {
        const text = validText(Buffer.from(bytes), '\0')
        const back = Buffer.concat(
          text
            .split(/(\0[0-9A-F]{2})/)
            .map(part =>
              part.startsWith('\0') && part.length === 3 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part),
            ),
        )
        // a NUL that was there may be taken for the mark
        return bytes.includes(0) || (back.equals(bytes) && (!isUtf8(bytes) || !text.includes('\0')))
      }),
    ))

  for (const [name, bytes, text] of [
    ['an overlong form', [0xc0, 0xaf], '\\xC0\\xAF'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\\xED\\xA0\\x80'],
    ['a cut character', [0x61, 0xe2, 0x82], 'a\\xE2\\x82'],
  ] as const)
    it(`escapes ${name}`, () => assert.equal(validText(Buffer.from(bytes)), text))
})
