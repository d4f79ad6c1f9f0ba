import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatAddress, isIpv6 } from '../../../supervisor/base/address.ts'

describe('base/address', () => {
  for (const [host, expected] of [
    ['10.0.0.2', '10.0.0.2:80'],
    ['legacy.internal', 'legacy.internal:80'],
    ['::', '[::]:80'],
    ['::1', '[::1]:80'],
    ['fe80::1%eth0', '[fe80::1%eth0]:80'],
    ['::ffff:10.0.0.2', '[::ffff:10.0.0.2]:80'],
  ] as const)
    it(`writes ${host} and a port as ${expected}`, () => assert.equal(formatAddress(host, 80), expected))

  it('writes addresses that URL can parse', () => {
    for (const host of ['10.0.0.2', 'legacy.internal', '2001:db8::2']) {
      const { hostname, port } = new URL(`http://${formatAddress(host, 5000)}`)
      assert.deepEqual([hostname, port], [isIpv6(host) ? `[${host}]` : host, '5000'])
    }
  })
})
