import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { acceptedApps, refusedOnce, yaml } from '../site/load-config.ts'

const allow = (networks: string) => yaml(`dynamic_routes: {store: file, allow: [${networks}]}\n`)

describe('dynamic-routes/keys', () => {
  it('rejects networks in allow that no route may lead to', () => {
    for (const network of ['169.254.0.0/16', '169.254.169.254', '224.0.0.0/4', '"fe80::/10"', '"fd00:ec2::254"']) {
      const { key, problem } = refusedOnce(allow(`10.0.0.0/8, ${network}`))
      assert.deepEqual([key, /which no route may lead to/.test(problem)], ['dynamic_routes.allow', true], network)
    }
  })

  it('accepts networks in allow that contain such networks, or others', () => {
    const networks = ['0.0.0.0/0', '10.0.0.0/8', '169.0.0.0/8', '127.0.0.1', '"::1"']
    const { dynamic_routes } = acceptedApps(allow(networks.join(', ')))
    assert.equal(dynamic_routes?.allow?.length, networks.length)
  })
})
