// needs: redis-server
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { configuration, keepAsking, shop, startDynamic, tell, who } from './dynamic-monohull.ts'
import { type Monohull, temporaryFolder, until } from './monohull.ts'
import { startRedisProxy } from './redis-proxy.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { startBackend } from './route-backend.ts'

const details = (monohull: Monohull) => ({ details: () => monohull.output().slice(-3000) })

/** Configuration with a store in Redis; `keys`: further keys of dynamic_routes. */
function withRedis({ store }: Pick<RedisServer, 'store'>, keys = ''): string {
  return configuration().replace('{ store: file }', `{ store: "${store}"${keys} }`)
}

async function start(t: TestContext, redis: Pick<RedisServer, 'store'>, keys?: string): Promise<Monohull> {
  const monohull = await startDynamic(t, { files: { 'monohull.yaml': withRedis(redis, keys) } })
  await monohull.seen(/reading dynamic routes from Redis/)
  return monohull
}

const eventually = (monohull: Monohull, expected: string, host = shop) =>
  until(`${expected} for ${host}`, async () => (await who(monohull, host)) === expected, details(monohull))

describe('routes in Redis', () => {
  it('are plain values, lists of Hipache and keys of Traefik, and every change is seen', async t => {
    const redis = await startRedis(t)
    const [one, two] = [await startBackend(t, 'one'), await startBackend(t, 'two')]
    const guide = readFileSync(new URL('../../docs/guide/dynamic-routes.md', import.meta.url), 'utf8')
    const rules = /^ACL (SETUSER monohull .*)$/m.exec(guide)?.[1]?.replace('>PASSWORD', '>hunter2') ?? ''
    assert.equal(await redis.cli('acl', ...rules.split(' '), '+type', '+set', '+del'), 'OK')
    const monohull = await start(t, redis, ', username: monohull, password: hunter2')
    assert.match(monohull.output(), /reading dynamic routes from Redis .*changes=tracking/)
    assert.equal(await who(monohull), '403')
    await redis.cli('set', shop, one)
    await eventually(monohull, 'one')
    await redis.cli('set', shop, two)
    await eventually(monohull, 'two')
    await redis.cli('rename', shop, 'moved.example.com')
    await eventually(monohull, '403')
    await eventually(monohull, 'two', 'moved.example.com')
    await redis.cli('set', shop, 'web', 'px', '700')
    await eventually(monohull, 'web')
    await eventually(monohull, '403')
    await redis.cli('rpush', 'list.example.com', 'an-id', `http://${one}`)
    await eventually(monohull, 'one', 'list.example.com')
    await redis.cli('set', '*.wild.example.com', one)
    await eventually(monohull, 'one', 'a.b.wild.example.com')
    await redis.cli('set', 'b.wild.example.com', two)
    await eventually(monohull, 'two', 'b.wild.example.com')
    await redis.cli('del', 'b.wild.example.com')
    await eventually(monohull, 'one', 'b.wild.example.com')
    await redis.cli('set', '*.b.wild.example.com', two)
    await eventually(monohull, 'two', 'a.b.wild.example.com')
    await redis.cli('del', '*.wild.example.com', '*.b.wild.example.com')
    for (const host of ['a', 'a.b']) await eventually(monohull, '403', `${host}.wild.example.com`)
    await redis.cli('set', shop, '{"targets": ["other"]}', 'ex', '600')
    await eventually(monohull, 'other')
    const got = await tell(t, monohull, 'routes', 'get', shop)
    assert.match(
      got.output,
      /^host +shop\.example\.com\ntarget +other\nsource +unix:\S+ shop\.example\.com\nage +read \d+ s ago\nexpires +in \d+ s\n$/,
    )
    const listed = await tell(t, monohull, 'routes', 'list', '--match', '*.EXAMPLE.com', '--json')
    assert.deepEqual(
      JSON.parse(listed.output)
        .map(({ host }: { host: string }) => host)
        .sort(),
      ['list.example.com', 'moved.example.com', shop],
    )
    const file = join(
      temporaryFolder(t, { 'routes.txt': `# moved\n${shop} ${one}\nnew.example.com web other\n` }),
      'routes.txt',
    )
    const imported = await tell(t, monohull, 'routes', 'import', file)
    assert.equal(
      imported.output,
      `monohull: 2 routes imported: 1 new, 1 changed, 0 as before\n  ${shop}: ${one} (before: other)\n`,
    )
    assert.equal(await who(monohull), 'one')
    assert.equal(await redis.cli('get', 'new.example.com'), 'web other')
    assert.deepEqual(JSON.parse((await tell(t, monohull, 'routes', 'export')).output), {
      'list.example.com': one,
      'moved.example.com': two,
      'new.example.com': 'web other',
      [shop]: one,
    })
    const list = await tell(t, monohull, 'routes', 'set', 'list.example.com', 'web')
    assert.match(list.output, /cannot write list\.example\.com: it is a list, as Hipache has them/)
    await redis.cli('set', shop, 'unix:/run/docker.sock')
    await eventually(monohull, '403')
    await monohull.seen(
      /dynamic route rejected key=shop\.example\.com value=unix:\/run\/docker\.sock problem="is not a valid target/,
    )
    await redis.cli('set', shop, 'web')
    await eventually(monohull, 'web')
    await redis.cli('flushall')
    for (const host of [shop, 'list.example.com', 'moved.example.com']) await eventually(monohull, '403', host)
  })

  it('serve on when Redis is slow, frozen, killed, full or closed to us, and follow it again afterwards', async t => {
    const redis = await startRedis(t, '--appendonly', 'yes', '--appendfsync', 'always')
    const proxy = await startRedisProxy(t, redis.socket)
    await redis.cli('set', shop, 'web')
    const monohull = await start(t, proxy)
    assert.equal(await who(monohull), 'web')
    const load = keepAsking(t, monohull)
    const seenFrom = (pattern: RegExp, from: number) => monohull.seen(pattern, from)
    let hosts = 0
    /** A host that nginx was never asked for. */
    const stranger = () => `h${hosts++}.example.com`

    await t.test('slow', async () => {
      proxy.behaviour.delayMs = 200
      await redis.cli('set', 'slow.example.com', 'other')
      assert.equal(await who(monohull, 'slow.example.com'), 'other')
      await redis.cli('del', 'slow.example.com')
      await eventually(monohull, '403', 'slow.example.com')
      assert.equal(await who(monohull, stranger()), '403')
      proxy.behaviour.delayMs = 0
    })

    await t.test('out of memory', async () => {
      await redis.cli('config', 'set', 'maxmemory', '1')
      const { code, output } = await tell(t, monohull, 'routes', 'set', 'full.example.com', 'web')
      assert.equal(code, 1)
      assert.match(output, /cannot write full\.example\.com: OOM .*\n {2}fix: raise Redis's maxmemory/)
      assert.equal(await who(monohull, stranger()), '403')
      await redis.cli('config', 'set', 'maxmemory', '0')
      assert.equal((await tell(t, monohull, 'routes', 'set', 'full.example.com', 'web')).code, 0)
      assert.equal(await redis.cli('get', 'full.example.com'), 'web')
    })

    await t.test('frozen', async () => {
      const from = monohull.output().length
      process.kill(redis.pid(), 'SIGSTOP')
      assert.equal(await who(monohull, stranger()), '503')
      await seenFrom(/cannot read dynamic routes from Redis .*reason="no response for 3 s"/, from)
      assert.match(
        (await tell(t, monohull, 'status')).output,
        /^dynamic routes: \d+ in use; the store cannot be read: no response for 3 s$/m,
      )
      assert.equal(await who(monohull), 'web')
      process.kill(redis.pid(), 'SIGCONT')
      await seenFrom(/connected to Redis again/, from)
      await eventually(monohull, '403', stranger())
    })

    await t.test('full of garbage', async () => {
      const from = monohull.output().length
      proxy.behaviour.garbage = 'HTTP/1.1 400 Bad Request\r\n\r\n'
      assert.equal(await who(monohull, stranger()), '503')
      await seenFrom(/cannot read dynamic routes from Redis/, from)
      assert.equal(await who(monohull), 'web')
      proxy.behaviour.garbage = ''
      await seenFrom(/connected to Redis again/, from)
    })

    await t.test('closed to us', async () => {
      const from = monohull.output().length
      await redis.cli('config', 'set', 'requirepass', 'hunter2')
      proxy.cut()
      await seenFrom(/cannot read dynamic routes .*reason="NOAUTH.* fix="correct dynamic_routes\.username/, from)
      assert.deepEqual([await who(monohull), await who(monohull, stranger())], ['web', '503'])
      await redis.cli('-a', 'hunter2', 'config', 'set', 'requirepass', '')
      await seenFrom(/connected to Redis again/, from)
    })

    await t.test('killed, and changed until it is back', async () => {
      await redis.cli('set', 'gone.example.com', 'other')
      await eventually(monohull, 'other', 'gone.example.com')
      await redis.cli('set', 'moved.example.com', 'other')
      await eventually(monohull, 'other', 'moved.example.com')
      const from = monohull.output().length
      proxy.behaviour.isClosed = true
      await redis.kill()
      await seenFrom(/cannot read dynamic routes from Redis/, from)
      assert.deepEqual([await who(monohull), await who(monohull, stranger())], ['web', '503'])
      await redis.start('--appendonly', 'yes', '--appendfsync', 'always')
      await redis.cli('del', 'gone.example.com')
      await redis.cli('set', 'moved.example.com', 'web')
      proxy.behaviour.isClosed = false
      await eventually(monohull, '403', 'gone.example.com')
      await eventually(monohull, 'web', 'moved.example.com')
    })
    assert.deepEqual(await load.end(), ['web'])
  })

  it('need no app; lost by a restart of Redis without data, those that nginx knows serve for stale_for, then get 403', async t => {
    const redis = await startRedis(t)
    const one = await startBackend(t, 'one')
    await redis.cli('set', shop, one)
    const file = `https: on\ndynamic_routes: { store: "${redis.store}", stale_for: 4s }\n`
    const monohull = await startDynamic(t, { files: { 'monohull.yaml': file } })
    await monohull.seen(/reading dynamic routes from Redis/)
    assert.equal(await who(monohull), 'one')
    assert.equal(await who(monohull, '127.0.0.1'), '403')
    assert.deepEqual(
      monohull.instance().children.map(({ name }) => name),
      ['nginx'],
    )
    await redis.kill()
    await redis.start()
    await monohull.seen(/Redis was restarted and has lost all dynamic routes/)
    assert.deepEqual([await who(monohull), await who(monohull, 'never.example.com')], ['one', '503'])
    await redis.cli('set', 'back.example.com', one)
    await eventually(monohull, 'one', 'back.example.com')
    await eventually(monohull, '403')
    await eventually(monohull, '403', 'never.example.com')
  })

  it('come with Traefik’s layout, and with keyspace notifications or by polling where tracking is refused', async t => {
    const redis = await startRedis(t)
    const one = await startBackend(t, 'one')
    await redis.cli('config', 'set', 'notify-keyspace-events', 'KA')
    await redis.cli('acl', 'setuser', 'routes', 'on', '>hunter2', '~*', '&*', '+@all', '-client|tracking')
    await redis.cli('set', 'traefik/http/routers/shop/rule', `Host(\`${shop}\`)`)
    await redis.cli('set', 'traefik/http/routers/shop/service', 'backend')
    await redis.cli('set', 'traefik/http/services/backend/loadBalancer/servers/0/url', `http://${one}/`)
    const monohull = await start(t, redis, ', prefix: traefik/, username: routes, password: hunter2')
    assert.match(monohull.output(), /changes=notifications/)
    assert.equal(await who(monohull), 'one')
    await redis.cli('set', 'traefik/http/routers/shop/rule', 'Host(`other.example.com`)')
    await eventually(monohull, '403')
    await eventually(monohull, 'one', 'other.example.com')
    await redis.cli('set', 'traefik/http/routers/shop/middlewares/0', 'auth')
    await eventually(monohull, '403', 'other.example.com')
    await monohull.seen(/dynamic route rejected key=traefik\/http\/routers\/shop problem="has middlewares/)
    await redis.cli('set', 'traefik/plain.example.com', 'web')
    await redis.cli('-n', '1', 'set', 'traefik/other.example.com', 'web')
    for (const command of [['flushdb'], ['swapdb', '0', '1'], ['flushall']]) {
      const host = command[0] === 'flushdb' ? 'plain.example.com' : 'other.example.com'
      await eventually(monohull, command[0] === 'swapdb' ? '403' : 'web', host)
      await redis.cli(...command)
      const expected = command[0] === 'swapdb' ? 'web' : '403'
      await until(`${command[0]} to be noticed`, async () => (await who(monohull, host)) === expected, {
        deadlineMs: 20_000,
      })
    }
    const from = monohull.output().length
    await redis.cli('config', 'set', 'notify-keyspace-events', '')
    await redis.cli('set', 'traefik/plain.example.com', 'web')
    await monohull.seen(/changes=polling/, from)
    assert.equal(await who(monohull, 'plain.example.com'), 'web')
    await redis.cli('del', 'traefik/plain.example.com')
    await eventually(monohull, '403', 'plain.example.com')
    assert.doesNotMatch(monohull.output(), /hunter2/)
  })
})
