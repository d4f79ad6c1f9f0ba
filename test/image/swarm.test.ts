// needs: openssl
// before a release: updates at the pace of the stack take five minutes
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { docker, ownerOfSuite } from './docker.ts'
import { startLoad } from './requests.ts'
import { deployStack, type Stack } from './swarm-stack.ts'

/** Swarm's virtual addresses and ingress ports need it. */
const withoutIpvs = !existsSync('/proc/net/ip_vs') && 'this kernel has no IPVS'

describe('the stack for Swarm, under GETs and POSTs on kept and new connections', { timeout: 900_000 }, () => {
  const owner = ownerOfSuite()
  let stack: Stack
  before(async () => {
    stack = await deployStack(owner)
  })

  /** Runs `change` under load; returns the numbers of responses by version, and what failed. */
  async function underLoad(change: () => Promise<unknown>, origin = stack.origin) {
    const load = startLoad(owner, origin)
    try {
      await change()
    } finally {
      await load.end()
    }
    const { seen, failures } = load
    return { versions: [...seen.keys()].sort(), least: Math.min(...seen.values()), failures, inFlight: load.clients }
  }

  it('an update to another image loses no request', { timeout: 300_000 }, async () => {
    const { versions, least, failures } = await underLoad(async () =>
      assert.equal(await stack.update('2'), 'completed'),
    )
    assert.deepEqual(failures, [])
    assert.deepEqual(versions, ['1', '2'])
    assert.ok(least > 500, `${least} responses`)
  })

  it('an image that does not start is rolled back, and no request is lost', { timeout: 300_000 }, async () => {
    const { versions, failures } = await underLoad(async () =>
      assert.equal(await stack.update('broken'), 'rollback_completed'),
    )
    assert.deepEqual(failures, [])
    assert.deepEqual(versions, ['2'])
  })

  it('a killed replica loses at most what it had in flight, and is replaced', { timeout: 120_000 }, async () => {
    const { failures, inFlight } = await underLoad(async () => {
      const [killed = ''] = await stack.containers()
      await docker(['kill', killed])
      await stack.haveRunning(3, killed)
    })
    assert.ok(failures.length <= inFlight, `${failures.length} failures:\n${failures.slice(0, 20).join('\n')}`)
  })

  it('2 to 6 to 2 replicas lose no request', { timeout: 300_000 }, async () => {
    const { failures } = await underLoad(async () => {
      for (const replicas of [2, 6, 2]) await stack.scale(replicas)
    })
    assert.deepEqual(failures, [])
  })

  it('an update behind a port of the ingress network loses no request', {
    timeout: 300_000,
    skip: withoutIpvs,
  }, async () => {
    const { origin, update } = await stack.openIngress()
    const { versions, failures } = await underLoad(update, origin)
    assert.deepEqual([failures, versions], [[], ['1', '2']])
  })
})
