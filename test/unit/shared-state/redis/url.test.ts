import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatRedisUrl, readRedisUrl } from '../../../../supervisor/shared-state/redis/url.ts'
import { acceptedApps, refused, refusedOnce, yaml } from '../../site/load-config.ts'

const read = (text: string) => {
  const reading = readRedisUrl(text)
  return reading.ok ? reading.value : assert.fail(reading.problem)
}

describe('shared-state/redis/url', () => {
  it('names a server with its login and database', () => {
    const at = (host: string, port: number) => ({ kind: 'address', host, port })
    const none = { isTls: false, username: undefined, password: undefined, database: undefined }
    assert.deepEqual(read('redis://redis'), { ...none, at: at('redis', 6379) })
    assert.deepEqual(read('redis://redis:80'), { ...none, at: at('redis', 80) })
    assert.deepEqual(read('valkeys://:p%40ss@[::1]:7/3'), {
      at: at('::1', 7),
      isTls: true,
      username: undefined,
      password: 'p@ss',
      database: 3,
    })
    for (const text of ['unix:/run/redis.sock', 'unix:///run/redis.sock'])
      assert.deepEqual(read(text), { ...none, at: { kind: 'socket', path: '/run/redis.sock' } })
  })

  it('names Sentinels with the master they know', () => {
    assert.deepEqual(read('rediss+sentinel://me:secret@one,[::2]:5/main/4'), {
      at: {
        kind: 'sentinels',
        sentinels: [
          { host: 'one', port: 26379 },
          { host: '::2', port: 5 },
        ],
        master: 'main',
      },
      isTls: true,
      username: 'me',
      password: 'secret',
      database: 4,
    })
  })

  it('names some nodes of a cluster', () => {
    const { at, isTls, password } = read('valkeys+cluster://:p%40ss@one,[::2]:7000/0')
    const nodes = [
      { host: 'one', port: 6379 },
      { host: '::2', port: 7000 },
    ]
    assert.deepEqual([at, isTls, password], [{ kind: 'cluster', nodes }, true, 'p@ss'])
    assert.equal(formatRedisUrl(read('redis+cluster://one,[::2]:7000')), 'redis+cluster://one:6379,[::2]:7000')
    const { problem } = refusedOnce(yaml("dynamic_routes: {store: 'redis+cluster://redis', database: 1}\n"))
    assert.match(problem, /clusters only have database 0/)
  })

  const wrong: [string, RegExp][] = [
    ['fil', /is not file and not a URL/],
    ['http://redis', /has the unknown scheme http/],
    ['redis+cluster://', /has a node of the cluster that is not HOST:PORT/],
    ['redis+cluster://redis:7000,', /has a node of the cluster that is not HOST:PORT/],
    ['redis+cluster://redis/1', /only have database 0/],
    ['redis://', /is not a URL of a server/],
    ['redis://redis:99999', /is not a URL of a server/],
    ['redis://redis/shop', /no database number/],
    ['redis://redis?db=1', /is not a URL of a server/],
    ['redis+sentinel://one,two', /no name of a master/],
    ['unix:redis.sock', /no absolute path/],
    ['redis://%zz:x@redis', /is not a URL of a server/],
  ]
  for (const [text, problem] of wrong)
    it(`rejects ${text} with a fix`, () => {
      const { key, value, problem: found, fix } = refusedOnce(yaml(`dynamic_routes: {store: "${text}"}\n`))
      assert.deepEqual([key, value], ['dynamic_routes.store', '••••••'])
      assert.match(found, problem)
      assert.match(fix, /redis:\/\/HOST:6379/)
    })

  it('never shows a password, whatever the input', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('redis://', 'rediss://', 'redis+sentinel://', ''), (rest, scheme) => {
        const reading = readRedisUrl(`${scheme}user:hunter2@${rest}`)
        assert.doesNotMatch(JSON.stringify(reading.ok ? formatRedisUrl(reading.value) : reading), /hunter2/)
      }),
    )
  })

  it('is checked without a server, as are the keys beside it', () => {
    const file =
      "dynamic_routes: {store: 'redis://redis', prefix: 'route:', database: 2, username: me, stale_for: 1h}\n"
    const env = { MONOHULL_DYNAMIC_ROUTES_PASSWORD_FILE: '/run/secrets/redis' }
    const { dynamic_routes } = acceptedApps({ ...yaml(file), env, readFile: () => 'hunter2\n' })
    assert.deepEqual([dynamic_routes?.password, dynamic_routes?.stale_for], ['hunter2', 3_600_000])
    assert.match(refusedOnce(yaml('dynamic_routes: {store: file, prefix: x}\n')).problem, /only for a store in Redis/)
    const both = refused({ ...yaml("dynamic_routes: {store: 'redis://:a@redis/1', password: hunter2, database: 1}\n") })
    assert.deepEqual(
      both.map(({ key, problem }) => `${key} ${problem}`),
      [
        'dynamic_routes.database is also in the URL of the store',
        'dynamic_routes.password is also in the URL of the store',
      ],
    )
    assert.doesNotMatch(JSON.stringify(both), /hunter2/)
  })
})
