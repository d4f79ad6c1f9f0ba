// needs: redis-server
// before a release: half a minute of a core for what test/process/redis-kinds.test.ts shows without passwords
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { keepAsking, shop, startDynamic, who } from './dynamic-monohull.ts'
import { type Monohull, temporaryFolder, until } from './monohull.ts'
import { certify, promoted, type ServerCertificate, startCluster, startSentinel } from './redis-groups.ts'
import { startBackend } from './route-backend.ts'

/** Rules of the user of a page. */
function rulesOf(page: string): string[] {
  const guide = readFileSync(new URL(`../../docs/guide/${page}.md`, import.meta.url), 'utf8')
  const rules = /^ACL SETUSER monohull (.*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2').split(' ') ?? []
  const more = /cluster, (?:add )?`(\+cluster.*?)`/.exec(guide)?.[1]?.split(' ') ?? []
  return [...rules, ...more]
}

/** An instance with dynamic routes and shared state at one place, as users of their own, with passwords in files. */
async function start(t: TestContext, store: string, { chain }: ServerCertificate): Promise<Monohull> {
  const folder = temporaryFolder(t, { redis: 'hunter2\n', sentinel: 'of-the-sentinels\n' })
  const file = `https: on
dynamic_routes: { store: "${store}", username: routes }
shared_state: { url: "${store}", username: monohull }
`
  const section = (name: string) => ({
    [`MONOHULL_${name}_PASSWORD_FILE`]: join(folder, 'redis'),
    ...(store.includes('sentinel') ? { [`MONOHULL_${name}_SENTINEL_PASSWORD_FILE`]: join(folder, 'sentinel') } : {}),
  })
  const env = { ...section('DYNAMIC_ROUTES'), ...section('SHARED_STATE'), NODE_EXTRA_CA_CERTS: chain }
  const monohull = await startDynamic(t, { files: { 'monohull.yaml': file }, env })
  await monohull.seen(/connected to the shared state .*changes=tracking/)
  await monohull.seen(/reading dynamic routes from Redis .*changes=tracking/)
  return monohull
}

const eventually = (monohull: Monohull, expected: string, host = shop) =>
  until(`${expected} for ${host}`, async () => (await who(monohull, host)) === expected, {
    details: () => monohull.output().slice(-3000),
  })

describe('dynamic routes and shared state over TLS', () => {
  it('behind Sentinels with a password of their own, as users with few rights, over a failover', async t => {
    const certificate = certify(t, 'redis.test', '127.0.0.1')
    const options = { tls: certificate, password: 'of-the-servers', sentinelPassword: 'of-the-sentinels' }
    const { store, master, replica } = await startSentinel(t, options)
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    for (const server of [master, replica]) {
      await server.cli('acl', 'setuser', 'routes', ...rulesOf('dynamic-routes'))
      await server.cli('acl', 'setuser', 'monohull', ...rulesOf('scaling'))
    }
    for (const host of [shop, 'moved.example.com']) await master.cli('set', host, one)
    const monohull = await start(t, store, certificate)
    for (const host of [shop, 'moved.example.com']) assert.equal(await who(monohull, host), 'one')
    const load = keepAsking(t, monohull)
    await until('the copy', async () => (await replica.cli('get', 'moved.example.com')) === one)
    const from = monohull.output().length
    await master.kill()
    await promoted(replica)
    await replica.cli('set', 'moved.example.com', two)
    await eventually(monohull, 'two', 'moved.example.com')
    await monohull.seen(/connected to Redis again[\s\S]*connected to Redis again/, from)
    assert.deepEqual(await load.end(), ['one'])
    assert.doesNotMatch(monohull.output(), /hunter2|of-the-/)
  })

  it('in a cluster whose nodes have names, which their certificate is for, also while it is down', async t => {
    // no address in it: only the names are accepted
    const certificate = certify(t, 'localhost')
    const more = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
    const { store, nodes, cli } = await startCluster(t, { tls: certificate, more })
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    for (const node of nodes) {
      await node.cli('acl', 'setuser', 'routes', ...rulesOf('dynamic-routes'))
      await node.cli('acl', 'setuser', 'monohull', ...rulesOf('scaling'))
    }
    const hosts = Array.from({ length: 4 }, (_, index) => `h${index}.example.com`)
    for (const host of [shop, ...hosts]) assert.equal(await cli('set', host, one), 'OK')
    const monohull = await start(t, store, certificate)
    for (const host of [shop, ...hosts]) await eventually(monohull, 'one', host)
    for (const host of hosts) await cli('set', host, two)
    for (const host of hosts) await eventually(monohull, 'two', host)

    // every node responds, and one slot is served by none: the whole cluster is down
    const from = monohull.output().length
    const [first] = nodes
    for (const node of nodes) await node.cli('cluster', 'delslots', '1').catch(() => '')
    await monohull.seen(/cannot read dynamic routes from Redis .*CLUSTERDOWN.* fix="repair the cluster/, from)
    await monohull.seen(/cannot reach the shared state .*CLUSTERDOWN/, from)
    assert.deepEqual([await who(monohull), await who(monohull, 'never.example.com')], ['one', '503'])
    await first?.cli('cluster', 'addslots', '1')
    await eventually(monohull, '403', 'never.example.com')
    await monohull.seen(/connected to Redis again[\s\S]*connected to Redis again/, from)
  })
})
