// needs: redis-server
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Outcome } from '../../supervisor/base/outcome.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import type { ClusterMember } from '../../supervisor/run/cluster.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { startRedis } from './redis-server.ts'

async function askFor<T>(instance: Monohull, method: 'GET' | 'POST', path: string): Promise<T> {
  return (await askAdmin(join(instance.folder, 'run/admin.sock'), { method, path })).body as T
}

/** Runs the command line for an instance. */
async function tell(t: TestContext, { folder }: Monohull, ...args: string[]) {
  const told = startMonohull(t, { args, env: { MONOHULL_RUN_DIR: join(folder, 'run') } })
  return { code: await told.exited, output: told.output() }
}

describe('instances with one shared_state', () => {
  it('are listed once each, also if one was killed and has started again; what an instance left behind expires', async t => {
    const redis = await startRedis(t)
    // of an instance that was killed six minutes ago, and nobody has started again
    const [members, descriptions] = ['monohull:{state}:members', 'monohull:{state}:descriptions']
    await redis.cli('zadd', members, String(Date.now() - 360_000), 'left')
    await redis.cli('hset', descriptions, 'left', '{}')
    const files = {
      'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }\nshared_state: { url: "${redis.store}" }\n`,
    }
    const env = { MONOHULL_WORKERS: undefined }
    const start = (folder = temporaryFolder(t, files)) => startMonohull(t, { folder, env })
    const [one, two] = [start(), start()]
    await Promise.all([one, two].map(instance => instance.serving()))
    const list = () => askFor<ClusterMember[]>(one, 'GET', '/cluster')
    const both = async () => (await list()).filter(({ state }) => state === 'ready')
    await until('two instances', async () => (await both()).length === 2)
    assert.equal(await redis.cli('hexists', descriptions, 'left'), '0')
    const before = (await list()).find(({ isThis }) => !isThis)
    assert.match(before?.instance ?? '', /^[0-9a-f]{8}$/)

    two.signal('SIGKILL')
    await two.exited
    const again = start(two.folder)
    await again.serving()
    await until('the new run', async () => (await both()).some(({ id, isThis }) => !isThis && id !== before?.id))
    const after = await list()
    assert.equal(await redis.cli('zcard', members), '3')
    assert.deepEqual(
      after.map(({ isThis, instance }) => (isThis ? 'one' : instance)).sort(),
      [before?.instance ?? '', 'one'].sort(),
    )
  })

  it('are listed by each of them, and closed and opened by one switch, also after a restart and an outage of Redis', async t => {
    const redis = await startRedis(t)
    const files = {
      'monohull.yaml': `app: { command: [node, ${fixture('hello.cjs')}], workers: 1 }\nshared_state: { url: "${redis.store}" }\n`,
    }
    const env = { MONOHULL_WORKERS: undefined }
    const start = (folder = temporaryFolder(t, files)) => startMonohull(t, { folder, env })
    const [one, two, third] = [start(), start(), start()]
    await Promise.all([one, two, third].map(instance => instance.serving()))

    const list = (instance: Monohull) => askFor<ClusterMember[]>(instance, 'GET', '/cluster')
    await until('three instances', async () => {
      const members = await list(two)
      return members.length === 3 && members.every(({ state, workers }) => state === 'ready' && workers.ready === 1)
    })
    const members = await list(two)
    assert.equal(members.filter(({ isThis }) => isThis).length, 1)
    assert.ok(members.every(({ version, events }) => /^\d+\.\d+/.test(version) && events.length > 0))
    const told = await tell(t, one, 'status', '--cluster')
    assert.equal(told.code, 0)
    assert.match(told.output, /^HOST +INSTANCE .*\n(\S+ +[0-9a-f]{8} .* ready .* 1\/1 .*\n){3}\* this instance\n$/m)
    assert.equal(new Set(members.map(({ instance }) => instance)).size, 3)

    const statusOf = async (instance: Monohull) => (await instance.request()).status
    const all = (instances: Monohull[], status: number) =>
      until(`${status} everywhere`, async () =>
        (await Promise.all(instances.map(statusOf))).every(got => got === status),
      )
    assert.equal((await askFor<Outcome>(one, 'POST', '/maintenance/on?message=Soon')).ok, true)
    await all([one, two, third], 503)
    assert.match((await third.request({ headers: { accept: 'application/json' } })).body, /Soon/)

    // without Redis, the last known state stays
    third.signal('SIGTERM')
    await third.exited
    await redis.kill()
    await until('the outage', () => /cannot reach the shared state/.test(one.output()))
    const again = start(third.folder)
    await again.serving()
    assert.deepEqual(await Promise.all([one, two, again].map(statusOf)), [503, 503, 503])
    const off = await askFor<Outcome>(two, 'POST', '/maintenance/off')
    assert.match(JSON.stringify(off), /maintenance is off\\n {2}only here for now: the shared state is unavailable/)
    assert.deepEqual(await Promise.all([one, two, again].map(statusOf)), [503, 200, 503])
    assert.match(JSON.stringify(await list(two)), /cannot list the instances.*the shared state is unavailable/)
    await redis.start()
    await all([one, two, again], 200)
  })
})
