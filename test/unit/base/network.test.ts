import assert from 'node:assert/strict'
import { BlockList, isIPv6 } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isInNetwork } from '../../../supervisor/base/network.ts'

describe('base/network', () => {
  const cases: [string, string, boolean][] = [
    ['10.0.0.1', '10.0.0.0/8', true],
    ['11.0.0.1', '10.0.0.0/8', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '0.0.0.0/0', true],
    ['10.0.0.1', '::/0', false],
    ['fe80::1', 'fe80::/10', true],
    ['fd00:ec2::254', 'FD00:EC2::/32', true],
    ['fd00:ec3::254', 'fd00:ec2::/32', false],
    ['::ffff:10.0.0.1', '::ffff:a00:0/104', true],
    ['::1', '::1', true],
    ['::', '::1', false],
  ]
  for (const [address, network, expected] of cases)
    it(`${address} ${expected ? 'is' : 'is not'} in ${network}`, () =>
      assert.equal(isInNetwork(address, network), expected))

  it("agrees with Node's own lists", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.nat(128),
        (address, base, length) => {
          const family = (text: string) => (isIPv6(text) ? 'ipv6' : 'ipv4')
          if (family(address) !== family(base)) return void assert.equal(isInNetwork(address, `${base}/0`), false)
          const bits = family(base) === 'ipv4' ? length % 33 : length
          const list = new BlockList()
          list.addSubnet(base, bits, family(base))
          assert.equal(isInNetwork(address, `${base}/${bits}`), list.check(address, family(address)), `${base}/${bits}`)
          assert.ok(isInNetwork(base, `${base}/${bits}`))
        },
      ),
    )
  })
})
