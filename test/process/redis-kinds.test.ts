// needs: redis-server
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { linkOpener, linkTarget } from '../../supervisor/shared-state/redis/adapters/open-link.ts'
import { readRedisUrl } from '../../supervisor/shared-state/redis/url.ts'
import { makeCertificate } from '../make-certificate.ts'
import { keepAsking, shop, startDynamic, tell, who } from './dynamic-monohull.ts'
import { freePorts } from './free-ports.ts'
import { type Monohull, temporaryFolder, until } from './monohull.ts'
import { startCluster, startSentinel } from './redis-groups.ts'
import { startRedis } from './redis-server.ts'
import { startBackend } from './route-backend.ts'

async function start(t: TestContext, keys: string, env: Record<string, string> = {}): Promise<Monohull> {
  const monohull = await startDynamic(t, {
    files: { 'monohull.yaml': `https: on\ndynamic_routes: { ${keys} }\n` },
    env,
  })
  await monohull.seen(/reading dynamic routes from Redis/)
  return monohull
}

const eventually = (monohull: Monohull, expected: string, host = shop) =>
  until(`${expected} for ${host}`, async () => (await who(monohull, host)) === expected, {
    details: () => monohull.output().slice(-3000),
  })

/** Opener of links to a URL. */
function openerOf(url: string) {
  const reading = readRedisUrl(url)
  assert.ok(reading.ok)
  return linkOpener(linkTarget(reading.value, {}, { prefix: '', needsMaster: false }))
}

describe('stores of dynamic routes', () => {
  it('may move by a failover of Sentinel: hosts are served on, and the changes of the new master seen', async t => {
    const { store, master, replica } = await startSentinel(t)
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    for (const host of [shop, 'gone.example.com', 'moved.example.com']) await master.cli('set', host, one)
    const monohull = await start(t, `store: "${store}"`)
    for (const host of [shop, 'gone.example.com', 'moved.example.com']) assert.equal(await who(monohull, host), 'one')
    const load = keepAsking(t, monohull)
    const from = monohull.output().length
    await until('the replica', async () => (await replica.cli('get', 'moved.example.com')) === one)
    await master.kill()
    await until('the failover', async () => (await replica.cli('info', 'replication')).includes('role:master'))
    // nobody may have noticed yet
    await replica.cli('del', 'gone.example.com')
    await replica.cli('set', 'moved.example.com', two)
    await replica.cli('set', 'new.example.com', two)
    await eventually(monohull, '403', 'gone.example.com')
    for (const host of ['moved', 'new']) await eventually(monohull, 'two', `${host}.example.com`)
    await monohull.seen(/connected to Redis again/, from)
    await replica.cli('del', 'new.example.com')
    await eventually(monohull, '403', 'new.example.com')
    assert.deepEqual(await load.end(), ['one'])
  })

  it('may move while its old master still runs', async t => {
    const { store, master, replica, ask } = await startSentinel(t)
    const one = await startBackend(t, 'one')
    for (const host of [shop, 'kept.example.com']) await master.cli('set', host, one)
    const monohull = await start(t, `store: "${store}"`)
    assert.equal(await who(monohull), 'one')
    await until('the replica', async () => (await replica.cli('get', 'kept.example.com')) === one)
    assert.match(await ask('failover', 'main'), /OK/)
    await until('the failover', async () => (await replica.cli('info', 'replication')).includes('role:master'))
    await replica.cli('del', shop)
    // Sentinels end the connections to the old master after ten seconds
    await until('403', async () => (await who(monohull)) === '403', { deadlineMs: 9000 })
  })

  it('may be a cluster: the changes of every node are seen, also when a slot moves and a master fails', async t => {
    const { store, nodes, cli, move, last, replica } = await startCluster(t)
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    const hosts = Array.from({ length: 6 }, (_, index) => `h${index}.example.com`)
    const set = async (host: string, target: string) => assert.equal(await cli('set', host, target), 'OK')
    const all = async (expected: string) => {
      for (const host of hosts) await eventually(monohull, expected, host)
    }
    for (const host of [shop, ...hosts]) await set(host, one)
    const guide = readFileSync(new URL('../../docs/guide/dynamic-routes.md', import.meta.url), 'utf8')
    const rules = /^ACL SETUSER monohull (.*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2').split(' ') ?? []
    const more = /for a cluster, `(.*)`/.exec(guide)?.[1]?.split(' ') ?? []
    for (const node of nodes) await node.cli('acl', 'setuser', 'monohull', ...rules, '+type', '+set', ...more)
    const monohull = await start(t, `store: "${store}", username: monohull, password: hunter2`)
    assert.match(monohull.output(), /changes=tracking/)
    const load = keepAsking(t, monohull)
    await eventually(monohull, 'one')
    await all('one')
    assert.equal(JSON.parse((await tell(t, monohull, 'routes', 'list', '--json')).output).length, 7)
    for (const host of hosts) await set(host, two)
    await all('two')

    let moved = ''
    for (let index = 0; moved === ''; index++)
      if (Number(await cli('cluster', 'keyslot', `m${index}.example.com`)) < 5000) moved = `m${index}.example.com`
    await set(moved, one)
    await eventually(monohull, 'one', moved)
    const finish = await move(moved)
    await set(moved, two)
    await eventually(monohull, 'two', moved)
    await finish()
    await set(moved, one)
    await eventually(monohull, 'one', moved)

    const from = monohull.output().length
    await last.kill()
    await until('the failover', async () => (await replica.cli('info', 'replication')).includes('role:master'))
    await monohull.seen(/connected to Redis again/, from)
    for (const host of hosts) await cli('del', host)
    await all('403')
    assert.equal((await tell(t, monohull, 'routes', 'set', 'set.example.com', two)).code, 0)
    assert.equal(await cli('get', 'set.example.com'), two)
    assert.deepEqual(await load.end(), ['one'])
  })

  it('may be a server without RESP3: notifications are read, FLUSHALL is noticed, and that they were turned off', async t => {
    const redis = await startRedis(t, '--notify-keyspace-events', 'KA', '--rename-command', 'HELLO', '')
    const changes: (string | undefined)[] = []
    const open = openerOf(redis.store)
    const link = await open({ onChange: key => changes.push(key), onLost() {} })
    assert.equal(link.channel, 'notifications')
    await redis.cli('set', shop, 'web')
    await until('the change', () => changes.length > 0)
    await link.check()
    assert.deepEqual(changes, [shop])
    await redis.cli('flushall')
    await link.check()
    assert.deepEqual(changes, [shop, undefined])
    await redis.cli('config', 'set', 'notify-keyspace-events', 'K')
    await assert.rejects(link.check(), /does not include KA any more/)
    link.close()
  })

  it('may need TLS, with a CA and a user of their own and the password in a file', async t => {
    const folder = temporaryFolder(t, { 'password.txt': 'hunter2\n' })
    makeCertificate(folder, 'redis.test', { chain: 'ca.pem', key: 'key.pem', address: '127.0.0.1' })
    const [port = 0] = await freePorts(1)
    const file = (name: string) => join(folder, name)
    const tls = ['--tls-port', String(port), '--bind', '127.0.0.1', '--tls-auth-clients', 'no']
    const certificate = ['--tls-cert-file', file('ca.pem'), '--tls-key-file', file('key.pem')]
    const redis = await startRedis(t, ...tls, ...certificate, '--tls-ca-cert-file', file('ca.pem'))
    await redis.cli('acl', 'setuser', 'routes', 'on', '>hunter2', '~*', '&*', '+@all')
    await redis.cli('set', shop, await startBackend(t, 'one'))
    const keys = `store: "rediss://127.0.0.1:${port}", username: routes`
    const password = { MONOHULL_DYNAMIC_ROUTES_PASSWORD_FILE: file('password.txt') }
    const monohull = await start(t, keys, { ...password, NODE_EXTRA_CA_CERTS: file('ca.pem') })
    assert.match(monohull.output(), /changes=tracking/)
    assert.equal(await who(monohull), 'one')
    const open = openerOf(`rediss://routes:hunter2@127.0.0.1:${port}`)
    await assert.rejects(open({ onChange() {}, onLost() {} }), /certificate/)
    assert.doesNotMatch(monohull.output(), /hunter2/)
  })
})
