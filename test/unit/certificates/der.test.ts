import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { authorityKeyId, serialContent } from '../../../supervisor/base/der.ts'

describe('certificates: DER', () => {
  it('encodes a serial number', () => {
    const hex = (text: string) => Buffer.from(serialContent(text)).toString('hex')
    assert.deepEqual(['87654321', '7F01', 'ABC', '00'].map(hex), ['0087654321', '7f01', '0abc', '00'])
  })

  it('finds nothing in other bytes, and never reads past the end', () => {
    assert.equal(authorityKeyId(new Uint8Array(10)), undefined)
    const header = [0x06, 0x03, 0x55, 0x1d, 0x23]
    for (let length = 0; length < 6; length++)
      assert.equal(
        authorityKeyId(Uint8Array.from([...header, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14].slice(0, 5 + length))),
        undefined,
      )
  })
})
