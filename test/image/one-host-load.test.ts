// before a release: 20 deployments take four minutes; test/image/one-host.test.ts has three
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownerOfSuite } from './docker.ts'
import { host, startOneHost } from './one-host.ts'
import { startLoad } from './requests.ts'

describe('deploy/one-host', () => {
  // the network is removed last
  const owner = ownerOfSuite()

  it('replaces the container 20 times without a failed request', { timeout: 900_000 }, async t => {
    const { front, deploy } = await startOneHost(owner, ['1', '2'])
    assert.equal((await deploy('1')).code, 0)
    const load = startLoad(owner, await front.https(), host)
    for (let count = 1; count <= 20; count++) {
      const { code, stderr } = await deploy(count % 2 === 0 ? '1' : '2')
      assert.equal(code, 0, stderr)
    }
    await load.end()
    const responses = [...load.seen.values()].reduce((sum, count) => sum + count, 0)
    t.diagnostic(`${responses} responses, ${load.failures.length} failures`)
    assert.deepEqual(load.failures, [])
  })
})
