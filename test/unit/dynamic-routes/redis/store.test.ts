import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeRoute } from '../../../../supervisor/dynamic-routes/encoding.ts'
import { formatChanges } from '../../../../supervisor/dynamic-routes/hosts.ts'
import { findNameProblem } from '../../../../supervisor/dynamic-routes/redis/misnamed-keys.ts'
import { createRedisRoutes, type RedisRoutes } from '../../../../supervisor/dynamic-routes/redis/store.ts'
import { readRoute } from '../../../../supervisor/dynamic-routes/route.ts'
import { createDynamicRoutes } from '../../../../supervisor/dynamic-routes/service.ts'
import { context } from '../route-context.ts'
import { createFakeRedis, createManualClock } from './fake-redis.ts'

/** The service with a store in a fake Redis, and what nginx would know. */
function setUp({ prefix = '', limits = { routes: 100, others: 100 } } = {}) {
  const { clock, pass } = createManualClock()
  const redis = createFakeRedis(clock)
  const lines: string[] = []
  const log = { debug() {}, info: (text: string) => lines.push(text), warn: keep, error: keep } as never
  function keep(text: string, fields: object) {
    lines.push(`${text} ${JSON.stringify(fields)}`)
  }
  const nginx = new Map<string, string>()
  const messages: string[] = []
  let store: RedisRoutes | undefined
  let latest = 0
  const routes = createDynamicRoutes({
    clock,
    log,
    openStore(onChange) {
      const shared = { clock, log, random: () => 0.5, open: redis.open, address: 'redis://fake', staleForMs: 600_000 }
      store = createRedisRoutes({ ...shared, prefix, limits, onChange })
      return store
    },
    context: () => context,
    async push(message) {
      for (const text of formatChanges(message)) {
        messages.push(text)
        latest = message.version
        for (const line of text.split('\n').slice(1, -1)) {
          const [name = '', route] = line.split(' ')
          if (name === '*') nginx.clear()
          else if (route === undefined) nginx.delete(name)
          else nginx.set(name, route)
        }
      }
    },
  })
  async function ask(host: string): Promise<string | undefined> {
    const { route, wildcard, version } = await routes.find(host)
    // nginx has received a change meanwhile
    if (route === undefined || version < latest) nginx.delete(wildcard ?? host)
    else nginx.set(wildcard ?? host, route)
    return route
  }
  return { redis, routes, nginx, messages, lines, ask, pass, close: () => store?.close() }
}

const encoded = (value: string) => {
  const reading = readRoute(value)
  return reading.ok ? encodeRoute(reading.value, context) : undefined
}

describe('dynamic-routes/redis/store', () => {
  const hosts = ['a.test', 'b.test', 'c.test']
  const values = ['web', 'legacy', '10.0.0.2:80', 'rubbish!']
  const host = fc.constantFrom(...hosts)
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), host, value: fc.constantFrom(...values) }),
    fc.record({ kind: fc.constant('expiring' as const), host, value: fc.constantFrom(...values) }),
    fc.record({ kind: fc.constant('del' as const), host }),
    fc.record({ kind: fc.constant('ask' as const), host }),
    fc.record({ kind: fc.constant('ask and set' as const), host, value: fc.constantFrom(...values) }),
    fc.record({
      kind: fc.constantFrom(
        'lose' as const,
        'lose' as const,
        'restore' as const,
        'restore' as const,
        'wait' as const,
        'flush' as const,
      ),
    }),
  )

  it('misses no change of what nginx knows, whatever happens to Redis and the connection', async () => {
    const limits = fc.constantFrom({ routes: 1, others: 4 }, { routes: 100, others: 100 })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), limits, async (steps, bounds) => {
        const world = setUp({ limits: bounds })
        const { redis, nginx, ask, pass } = world
        await pass(10)
        const truth = new Map<string, string>()
        const asked: Promise<unknown>[] = []
        for (const one of steps) {
          if (one.kind === 'ask' || one.kind === 'ask and set') asked.push(ask(one.host).catch(() => {}))
          if (one.kind === 'ask and set') {
            redis.set(one.host, one.value)
            truth.set(one.host, one.value)
          }
          if (one.kind === 'set' || one.kind === 'expiring') {
            redis.set(one.host, one.value, one.kind === 'expiring' ? 1000 : undefined)
            if (one.kind === 'set') truth.set(one.host, one.value)
            else truth.delete(one.host)
          }
          if (one.kind === 'del') {
            redis.del(one.host)
            truth.delete(one.host)
          }
          if (one.kind === 'flush') {
            redis.flush()
            truth.clear()
          }
          if (one.kind === 'lose') redis.lose()
          if (one.kind === 'restore') redis.restore()
          await pass(one.kind === 'wait' ? 400 : 0)
        }
        redis.restore()
        await pass(10_000)
        await Promise.all(asked)
        for (const [name, route] of nginx) assert.equal(route, encoded(truth.get(name) ?? ''), name)
        await world.close()
      }),
      { numRuns: 400 },
    )
  })

  it('reads what nginx knows again after a lost connection', async () => {
    const { redis, nginx, ask, pass, close } = setUp()
    for (const host of ['kept.test', 'moved.test', 'gone.test']) redis.set(host, 'web')
    await pass(10)
    for (const host of ['kept.test', 'moved.test', 'gone.test']) await ask(host)
    redis.lose()
    redis.set('moved.test', 'legacy')
    redis.del('gone.test')
    await Promise.all([assert.rejects(ask('other.test'), /Socket closed/), pass(1000)])
    redis.restore()
    await pass(5000)
    assert.deepEqual(Object.fromEntries(nginx), { 'kept.test': 'app:web', 'moved.test': 'upstream:legacy' })
    await close()
  })

  it('keeps the routes of an empty Redis after a restart until stale_for is over or somebody deletes them', async () => {
    const { redis, routes, nginx, lines, ask, pass, close } = setUp()
    for (const host of ['a.test', 'b.test', 'c.test']) redis.set(host, 'web')
    await pass(10)
    for (const host of ['a.test', 'b.test', 'c.test']) await ask(host)
    redis.restart()
    await pass(5000)
    assert.ok(!lines.some(line => /readable again/.test(line)), 'they are not')
    assert.match(routes.status().problem ?? '', /restarted and has lost all routes/)
    await assert.rejects(ask('other.test'), /has lost all routes/)
    redis.set('b.test', 'legacy')
    assert.ok((await routes.remove('c.test')).ok)
    await pass(10)
    assert.deepEqual(Object.fromEntries(nginx), { 'a.test': 'app:web', 'b.test': 'upstream:legacy' })
    redis.lose()
    redis.restore()
    await pass(590_000)
    assert.deepEqual([...nginx.keys()], ['a.test', 'b.test'])
    await pass(10_000)
    assert.deepEqual([...nginx.keys(), routes.status().problem], ['b.test', undefined])
    assert.match(lines.at(-1) ?? '', /not written again to Redis end now/)
    redis.restart()
    await pass(5000)
    redis.flush()
    await pass(10)
    assert.deepEqual([...nginx.keys(), routes.status().problem], [undefined])
    await close()
  })

  it('removes routes that were written to an empty Redis after its restart and deleted again, or have expired', async () => {
    const { redis, nginx, ask, pass, close } = setUp()
    for (const host of ['a.test', 'b.test', 'c.test']) redis.set(host, 'web')
    await pass(10)
    for (const host of ['a.test', 'b.test', 'c.test']) await ask(host)
    redis.restart()
    await pass(5000)
    for (const host of ['a.test', 'b.test', 'new.test']) redis.set(host, 'legacy')
    await pass(10)
    await ask('new.test')
    redis.set('b.test', 'legacy', 100)
    redis.del('a.test')
    redis.del('new.test')
    await pass(1000)
    assert.deepEqual([...nginx.keys()], ['c.test'])
    await close()
  })

  it('sends nginx only routes in its format, and none to forbidden networks, whatever the keys contain', async () => {
    const piece = fc.constantFrom(
      '10.0.0.2:80',
      '169.254.169.254:80',
      '[fe80::1]:80',
      'web',
      'unix:/x',
      '\n',
      ' ',
      ';',
      ',',
      '*',
      'weight=2',
      'http://',
      '"',
      '{"targets":["web"],"basic_auth":["a:$1$b$c"]}',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.array(piece, { maxLength: 6 }).map(parts => parts.join('')),
    )
    const value = fc.oneof(text, fc.array(text, { maxLength: 5 }))
    const layout = fc.record({
      rule: fc.oneof(text, fc.constantFrom('Host(`t.test`)')),
      url: fc.oneof(
        text,
        text.map(found => `http://${found}`),
      ),
    })
    await fc.assert(
      fc.asyncProperty(value, value, layout, async (first, second, { rule, url }) => {
        const world = setUp({ prefix: 'r/' })
        const { redis, nginx, messages, ask, pass } = world
        redis.set('r/http/routers/x/rule', rule)
        redis.set('r/http/routers/x/service', 's')
        redis.set('r/http/services/s/loadbalancer/servers/0/url', url)
        redis.set('r/a.test', first)
        await pass(10)
        for (const name of ['a.test', 't.test']) await ask(name)
        redis.set('r/a.test', second)
        redis.set('r/http/services/s/loadbalancer/servers/0/url', `${url}0`)
        await pass(10)
        const target = /(app:web|upstream:legacy|address:(\d+(\.\d+){3}|\[[\da-f:]+\]):\d+)(\*\d+)?/.source
        const route = `none|${target}(,${target})*(;sticky)?(;body=\\d+)?(;read=\\d+)?(;users=[\\w+/=]+)?`
        for (const message of messages)
          assert.match(message, new RegExp(`^\\d+ \\S+\\n([at]\\.test( (${route}))?\\n)*$`))
        for (const found of nginx.values()) {
          assert.match(found, new RegExp(`^(${route})$`))
          assert.doesNotMatch(found, /169\.254|fe80/)
        }
        await world.close()
      }),
      { numRuns: 100 },
    )
  })

  it('logs a rejected value once, and counts it until it is replaced', async () => {
    const { redis, routes, lines, ask, pass, close } = setUp()
    redis.set('a.test', 'rubbish!')
    await pass(10)
    for (let count = 0; count < 3; count++) assert.equal(await ask('a.test'), undefined)
    redis.set('a.test', 'rubbish!')
    await pass(10)
    assert.equal(lines.filter(line => /dynamic route rejected .*a\.test/.test(line)).length, 1)
    assert.equal(routes.status().rejected, 1)
    await assert.rejects(routes.get('a.test'), /^Error: the value of a\.test was rejected: /)
    redis.set('a.test', 'unix:/x')
    redis.set('b.test', 'x'.repeat(10_000))
    await pass(10)
    await ask('b.test')
    assert.equal(routes.status().rejected, 2)
    assert.match(lines.at(-1) ?? '', /b\.test.*longer than 8192 bytes/)
    redis.set('a.test', '')
    redis.del('b.test')
    await pass(10)
    assert.match(lines.at(-1) ?? '', /a\.test.*problem":"is empty; store ADDRESS:PORT/)
    assert.equal(routes.status().rejected, 1)
    redis.set('a.test', 'web')
    await pass(10)
    assert.equal(routes.status().rejected, 0)
    await close()
  })

  it('reports keys with a route that are never read, as they are written or listed', async () => {
    const { redis, routes, lines, pass, close } = setUp({ prefix: 'r:' })
    redis.lose()
    redis.set('r:Early.test', 'web')
    redis.restore()
    await pass(1000)
    redis.set('r:shop.test:443', 'web')
    redis.set('r:*', 'web')
    for (const key of ['r:other', 'r:a b', 'r:plain.test', 'r:long.test.']) redis.set(key, 'rubbish!')
    await pass(10)
    await routes.list()
    const reported = lines.flatMap(line => /"key":"([^"]+)".*problem":"([^"]+)"/.exec(line)?.slice(1).join(' ') ?? [])
    assert.deepEqual(reported, [
      'r:shop.test:443 is never looked up under this name; its key is shop.test',
      'r:* is never looked up under this name: a wildcard is *. and a domain, such as *.example.com',
      'r:Early.test is never looked up under this name; its key is early.test',
    ])
    assert.equal(routes.status().rejected, 3)
    redis.lose()
    redis.del('r:*')
    redis.restore()
    await pass(1000)
    assert.equal(routes.status().rejected, 2)
    await close()
  })

  it('writes nothing below a root key of Traefik, whose configuration it would break', async () => {
    const { redis, routes, pass, close } = setUp({ prefix: 'traefik/' })
    await pass(10)
    for (const outcome of [await routes.set('a.test', 'web'), await routes.importText('a.test web')])
      assert.match(
        outcome.ok ? '' : outcome.reason,
        /cannot write traefik\/a\.test: its prefix is a root key .*\n.*prefix that does not end/,
      )
    redis.set('traefik/a.test', 'web')
    assert.match(JSON.stringify(await routes.remove('a.test')), /root key/)
    await close()
  })

  it('reads few keys of other programs whose names resemble hosts, however many change', async () => {
    const { redis, routes, pass, close } = setUp()
    await pass(1000)
    for (let count = 0; count < 1000; count++) redis.set(`user.x:${count}`, 'web')
    await pass(10)
    assert.equal(routes.status().rejected, 50)
    await close()
  })

  it('takes a key for misnamed only if it resembles a host', () => {
    const misnamed = [
      'A.test',
      'a.test.',
      'a.test:80',
      'http://a.test/',
      'bücher.test',
      '*',
      'a.*.test',
      '*.*.test',
      '*.A.test',
    ]
    for (const name of misnamed) assert.ok(findNameProblem(name), name)
    for (const name of ['a.test', '*.a.test', 'xn--bcher-kva.test', 'a', 'user:1', '10.0.0.1:80', 'a b', '', '**'])
      assert.equal(findNameProblem(name), undefined, name)
  })
})
