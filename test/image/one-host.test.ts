// before a release: two minutes of a core; test/image/one-host-load.test.ts goes on for longer
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { ownerOfSuite, until } from './docker.ts'
import { host, startOneHost } from './one-host.ts'
import { startLoad } from './requests.ts'

describe('deploy/one-host', () => {
  // the network is removed last
  const owner = ownerOfSuite()

  it('replaces the container of an app without a failed request, and changes nothing for an image that does not start', {
    timeout: 300_000,
  }, async () => {
    const { front, deploy, containers } = await startOneHost(owner, ['1', '2', 'broken'])
    const first = await deploy('1')
    assert.equal(first.code, 0, first.stderr)
    const origin = await front.https()
    assert.equal((await ask(origin, { headers: { host } })).body, '1')

    const load = startLoad(owner, origin, host)
    for (const version of ['2', '1']) {
      const { code, stdout, stderr } = await deploy(version)
      assert.equal(code, 0, stderr)
      assert.match(stdout, /to roll back: .*deploy\.sh monohull-one-host:/)
      const before = load.seen.get(version) ?? 0
      await until(`responses of version ${version}`, async () => (load.seen.get(version) ?? 0) > before)
    }
    const running = await containers()
    assert.equal(running.length, 1, running.join())

    const broken = await deploy('broken')
    assert.equal(broken.code, 1)
    assert.match(broken.stderr, /is not ready after 4s/)
    assert.match(broken.stderr, /a build that does not start/)
    assert.deepEqual(await containers(), running)
    await load.end()
    assert.deepEqual(load.failures, [])
    assert.deepEqual([...load.seen.keys()].sort(), ['1', '2'])
  })
})
