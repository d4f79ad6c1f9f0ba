import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isInNetwork } from '../../../supervisor/base/network.ts'
import { expandNetworks } from '../../../supervisor/front/named-networks.ts'
import { accepted, yaml } from '../site/load-config.ts'

const isIn = (address: string, names: string[]) => expandNetworks(names).some(network => isInNetwork(address, network))

describe('front/named-networks', () => {
  it('stand beside networks, each once', () => {
    const { trusted_proxies } = accepted(yaml('trusted_proxies: [private, 203.0.113.7, 10.0.0.0/8, private]'))
    const networks = expandNetworks(trusted_proxies)
    assert.equal(networks.filter(network => network === '10.0.0.0/8').length, 1)
    assert.ok(networks.includes('203.0.113.7') && networks.includes('fc00::/7'))
  })

  it('contain what they name, and nothing else', () => {
    for (const address of ['10.1.2.3', '172.31.0.1', '192.168.1.1', '100.127.255.255', '127.0.0.1', '::1', 'fd00::1'])
      assert.ok(isIn(address, ['private']), address)
    for (const address of ['172.32.0.1', '100.128.0.1', '11.0.0.1', '2001:db8::1', '169.254.169.254'])
      assert.ok(!isIn(address, ['private']), address)
    for (const address of ['104.16.0.1', '172.71.255.1', '2606:4700::6810:1'])
      assert.ok(isIn(address, ['cloudflare']), address)
    for (const address of ['104.32.0.1', '8.8.8.8', '2606:4800::1']) assert.ok(!isIn(address, ['cloudflare']), address)
  })
})
