// needs: redis-server valkey-server
// before a release: half a minute of a core for what the tests with Redis show
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { keepAsking, shop, startDynamic, who } from './dynamic-monohull.ts'
import { type Monohull, until } from './monohull.ts'
import { certify, promoted, startCluster, startSentinel } from './redis-groups.ts'
import { type RedisKind, startServer } from './redis-server.ts'
import { startBackend } from './route-backend.ts'
import { acquired, join } from './shared-states.ts'

const kind: RedisKind = { server: 'valkey-server', cli: 'valkey-cli' }

/** Rules of the user of a page. */
function rulesOf(page: string): string[] {
  const guide = readFileSync(new URL(`../../docs/guide/${page}.md`, import.meta.url), 'utf8')
  return /^ACL SETUSER monohull (.*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2').split(' ') ?? []
}

async function start(t: TestContext, store: string, login = ''): Promise<Monohull> {
  const file = `https: on\ndynamic_routes: { store: "${store}"${login} }\n`
  const monohull = await startDynamic(t, { files: { 'monohull.yaml': file } })
  await monohull.seen(/reading dynamic routes from Redis .*changes=tracking/)
  return monohull
}

const eventually = (monohull: Monohull, expected: string, host = shop) =>
  until(`${expected} for ${host}`, async () => (await who(monohull, host)) === expected, {
    details: () => monohull.output().slice(-3000),
  })

describe('Valkey', () => {
  it('stores dynamic routes and shared state as Redis does, for users with few rights', async t => {
    const server = await startServer(t, kind)
    for (const [user, page] of [
      ['routes', 'dynamic-routes'],
      ['monohull', 'scaling'],
    ] as const)
      assert.equal(await server.cli('acl', 'setuser', user, ...rulesOf(page)), 'OK')
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    await server.cli('set', shop, one)
    const store = server.store.replace('redis:', 'valkey:')
    const monohull = await start(t, store, ', username: routes, password: hunter2')
    assert.equal(await who(monohull), 'one')
    await server.cli('set', shop, two)
    await eventually(monohull, 'two')
    await server.cli('flushall')
    await eventually(monohull, '403')

    const keys = { username: 'monohull', password: 'hunter2' }
    const [first, second] = await Promise.all([join(t, store, { keys }), join(t, store, { keys })])
    const lock = await acquired(first, 'x')
    assert.equal(await second.acquire('x'), undefined)
    assert.equal((await first.write('r', first.seal('r', 'text'), { lock })).kind, 'written')
    assert.equal(second.unseal('r', (await second.read('r'))?.value ?? ''), 'text')
    assert.equal((await second.members()).length, 2)
  })

  it('may be behind its own Sentinels, over TLS, and fail over', async t => {
    const certificate = certify(t, 'valkey.test', '127.0.0.1')
    tls.setDefaultCACertificates([readFileSync(certificate.chain, 'utf8')])
    const options = { kind, tls: certificate, password: 'servers', sentinelPassword: 'sentinels' }
    const { store, master, replica } = await startSentinel(t, options)
    const keys = { password: 'servers', sentinel_password: 'sentinels', lease: 15_000 }
    const url = store.replace('rediss+', 'valkeys+')
    const [first, second] = await Promise.all([join(t, url, { keys }), join(t, url, { keys })])
    const lock = await acquired(first, 'x')
    await until('the copy', async () => (await replica.cli('exists', 'monohull:{state}:lock:x')) === '1')
    await master.kill()
    await promoted(replica)
    await until('the write', async () =>
      first.write('r', 'text', { lock }).then(
        ({ kind: result }) => result === 'written',
        () => false,
      ),
    )
    assert.equal(
      await until('the record', () => second.read('r').catch(() => undefined)).then(({ value }) => value),
      'text',
    )
    assert.equal(await second.acquire('x'), undefined)
  })

  it('may be a cluster, with the changes of every node, over a failover', async t => {
    const { store, last, replica, cli } = await startCluster(t, { kind })
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    const hosts = [shop, ...Array.from({ length: 4 }, (_, index) => `h${index}.example.com`)]
    for (const host of hosts) assert.equal(await cli('set', host, one), 'OK')
    const monohull = await start(t, store)
    for (const host of hosts) await eventually(monohull, 'one', host)
    const load = keepAsking(t, monohull, 'h0.example.com')
    const from = monohull.output().length
    await last.kill()
    await promoted(replica)
    await monohull.seen(/connected to Redis again/, from)
    for (const host of hosts.slice(2)) await cli('set', host, two)
    for (const host of hosts.slice(2)) await eventually(monohull, 'two', host)
    assert.deepEqual(await load.end(), ['one'])
  })
})
