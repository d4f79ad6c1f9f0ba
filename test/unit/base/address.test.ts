import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressBytes, canonicalAddress } from '../../../supervisor/base/address.ts'

describe('base: addresses', () => {
  for (const [text, canonical] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::1', '::1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['192.0.2.256', undefined],
    ['192.0.2', undefined],
    ['01.2.3.4', undefined],
    ['example.com', undefined],
    ['2001:db8::g', undefined],
    ['1::2::3', undefined],
    ['[::1]', undefined],
    ['::1%eth0', undefined],
    ['', undefined],
  ] as const)
    it(`${text || 'nothing'} is ${canonical ?? 'none'}`, () => assert.equal(canonicalAddress(text), canonical))

  it('have 4 or 16 bytes', () => {
    assert.deepEqual([...addressBytes('192.0.2.1')], [192, 0, 2, 1])
    assert.deepEqual([...addressBytes('::')], Array(16).fill(0))
    assert.deepEqual([...addressBytes('2001:db8::1')], [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1])
    assert.deepEqual([...addressBytes('1:2:3:4:5:6:7:8')], [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8])
  })
})
