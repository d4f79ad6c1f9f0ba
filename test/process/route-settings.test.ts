import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { launcher } from './built.ts'
import { fixture, isolatedEnv, type Monohull, type RequestOptions, startMonohull } from './monohull.ts'

/** Of "secret" and "other". */
const passwords = {
  staff: 'anne:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n',
  partners: 'bert:$apr1$abcdefgh$Z2c9NiKlv6d.KgXK4n2DD/\n',
}

/** Monohull over HTTP with an app that answers as the query asks, and these keys. */
async function start(t: TestContext, yaml: string, files: Record<string, string> = {}): Promise<Monohull> {
  const monohull = startMonohull(t, {
    args: ['run', 'node', fixture('answers.cjs')],
    env: { MONOHULL_WORKERS: '1' },
    files: { 'monohull.yaml': `https: off\n${yaml}`, ...passwords, ...files },
  })
  await monohull.serving()
  return monohull
}

const statusOf = async (monohull: Monohull, path: string, options: RequestOptions = {}) =>
  (await monohull.request({ path, ...options })).status

const as = (name: string, password: string) => ({
  headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
})

describe('limits of a route', () => {
  it('are its own size, which the answer names; other errors keep their pages', async t => {
    const monohull = await start(
      t,
      `max_body_size: 2k
error_pages: { 404: missing.html }
send_files: { /protected/: private }
routes:
  - { app: app }
  - { path: /small, app: app, max_body_size: 1k, read_timeout: 300ms }
  - { path: /large, app: app, max_body_size: 1m, read_timeout: 300ms }
  - { path: /any, app: app, max_body_size: off }
  - { path: /files, files: { root: site }, max_body_size: 1k }
`,
      { 'missing.html': 'not here', 'site/index.html': 'x', 'private/report.txt': 'report' },
    )
    const post = (path: string, length: number) =>
      monohull.request({
        path,
        method: 'POST',
        body: 'x'.repeat(length),
        headers: { accept: 'application/json' },
      })
    const statuses = [
      ['/', 2048, 200],
      ['/', 2049, 413],
      ['/small', 1024, 200],
      ['/small/x', 1025, 413],
      ['/large', 1 << 20, 200],
      ['/large', (1 << 20) + 1, 413],
      ['/any', 2 << 20, 200],
    ] as const
    for (const [path, length, status] of statuses)
      assert.equal((await post(path, length)).status, status, `${path} ${length}`)
    assert.equal(JSON.parse((await post('/small', 1025)).body).limit, '1k')
    assert.equal(JSON.parse((await post('/', 2049)).body).limit, '2k')
    // what nginx goes to for an answer has no smaller limit
    const late = await post('/large?ms=3000', 4096)
    assert.deepEqual([late.status, JSON.parse(late.body).error], [504, 'unavailable'])
    assert.equal((await post('/large?header=x-accel-redirect:/protected/report.txt', 4096)).body, 'report')
    assert.equal((await monohull.request({ path: '/files/missing' })).body, 'not here')
  })

  it('are its own rate and connections, counted apart, or none', async t => {
    const monohull = await start(
      t,
      `rate_limit: 1/m burst=1
routes:
  - { app: app }
  - { path: /login, app: app, rate_limit: 2/m burst=0 }
  - { path: /free, app: app, rate_limit: off }
  - { path: /hello, response: { body: hello } }
`,
    )
    for (const expected of [200, 429]) assert.equal(await statusOf(monohull, '/login'), expected)
    for (const expected of [200, 200, 429]) assert.equal(await statusOf(monohull, '/'), expected)
    for (let count = 0; count < 4; count += 1) assert.equal(await statusOf(monohull, '/free/x'), 200)
    assert.equal((await monohull.request({ path: '/login' })).headers['retry-after'], '30')
    const refused = await monohull.request({ path: '/hello' })
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '60'])
    const answered = await monohull.request({ path: '/hello', from: '127.0.0.2' })
    assert.deepEqual([answered.status, answered.body], [200, 'hello'])
  })

  it('need none of the whole front, and come with a reload', async t => {
    const monohull = await start(t, 'routes: [{ app: app }, { path: /old, app: app, rate_limit: 1/s }]\n')
    const limited = '{ path: /login, app: app, rate_limit: 1/m burst=0, connection_limit: 5 }'
    const other = '{ path: /old, app: app, rate_limit: off }'
    const routes = `https: off\nrate_limit: 1000/s\nroutes: [{ app: app }, ${limited}, ${other}]\n`
    writeFileSync(join(monohull.folder, 'monohull.yaml'), routes)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal(await statusOf(monohull, '/login'), 200)
    const refused = await monohull.request({ path: '/login', headers: { accept: 'application/json' } })
    assert.deepEqual([refused.status, JSON.parse(refused.body).error], [429, 'too_many_requests'])
    for (let count = 0; count < 4; count += 1) assert.equal(await statusOf(monohull, '/'), 200)
  })
})

describe('who gets in to a route', () => {
  it('is anybody on an open route of a protected front, its error pages too', async t => {
    const monohull = await start(
      t,
      `basic_auth: { file: staff }
send_files: { /protected/: private }
routes:
  - { app: app }
  - { path: /open, app: app, basic_auth: off, read_timeout: 300ms }
  - { path: /partners, app: app, basic_auth: { file: partners, realm: Partners } }
  - { path: /hello, response: { body: hello } }
  - { path: /was, redirect: { to: /new, keep_path: true } }
`,
      { 'private/report.txt': 'report' },
    )
    assert.equal(await statusOf(monohull, '/'), 401)
    assert.equal(await statusOf(monohull, '/', as('anne', 'secret')), 200)
    assert.equal(await statusOf(monohull, '/open'), 200)
    assert.equal(await statusOf(monohull, '/open/x'), 200)
    const late = await monohull.request({ path: '/open?ms=3000', headers: { accept: 'application/json' } })
    assert.deepEqual([late.status, JSON.parse(late.body).error], [504, 'unavailable'])
    const sent = await monohull.request({ path: '/open?header=x-accel-redirect:/protected/report.txt' })
    assert.deepEqual([sent.status, sent.body], [200, 'report'])
    const asked = await monohull.request({ path: '/partners/x' })
    assert.deepEqual([asked.status, asked.headers['www-authenticate']], [401, 'Basic realm="Partners"'])
    assert.equal(await statusOf(monohull, '/partners', as('anne', 'secret')), 401)
    assert.equal(await statusOf(monohull, '/partners', as('bert', 'other')), 200)
    // answers that nginx could give before it asks for a password
    assert.equal(await statusOf(monohull, '/hello'), 401)
    assert.equal((await monohull.request({ path: '/hello', ...as('anne', 'secret') })).body, 'hello')
    assert.equal(await statusOf(monohull, '/was/x'), 401)
    const moved = await monohull.request({ path: '/was/x?y=1', ...as('anne', 'secret') })
    assert.deepEqual([moved.status, moved.headers.location], [308, '/new/x?y=1'])
    assert.equal((await monohull.request({ path: '/was?y=1', ...as('anne', 'secret') })).headers.location, '/new?y=1')
  })

  it('is by address: allow and deny each in place of that of the front', async t => {
    const monohull = await start(
      t,
      `allow: [127.0.0.1, 127.0.0.2, 127.0.0.3]
deny: [127.0.0.2]
routes:
  - { app: app }
  - { path: /deny, app: app, deny: [127.0.0.3] }
  - { path: /allow, app: app, allow: [127.0.0.2, 127.0.0.4] }
  - { path: /any, response: { body: x }, allow: off, deny: off }
  - { path: /few, response: { body: x }, allow: [127.0.0.4], deny: off }
`,
    )
    const table = [
      ['/', [200, 403, 200, 403]],
      ['/deny', [200, 200, 403, 403]],
      ['/allow', [403, 403, 403, 200]],
      ['/any', [200, 200, 200, 200]],
      ['/few', [403, 403, 403, 200]],
    ] as const
    for (const [path, expected] of table) {
      const from = [1, 2, 3, 4].map(last => statusOf(monohull, path, { from: `127.0.0.${last}` }))
      assert.deepEqual(await Promise.all(from), expected, path)
    }
  })
})

describe('answers of a route', () => {
  it('have its headers beside those of the front, and cookies of sticky workers', async t => {
    const monohull = await start(
      t,
      `app: { balance: sticky }
headers: { X-Front: a }
routes:
  - { app: app }
  - path: /own
    app: app
    headers: { content-security-policy: "default-src 'self'", X-Front: off, Referrer-Policy: no-referrer }
  - { path: /bare, files: { root: site }, headers: { x-front: off, x-content-type-options: off, referrer-policy: off } }
  - { path: /docs, files: { root: site, cache: { '*.html': no-cache } }, headers: { X-Docs: b } }
  - { path: /hello, response: { body: hello }, headers: { X-Hello: c } }
`,
      { 'site/index.html': 'the docs' },
    )
    const headersOf = async (path: string) => (await monohull.request({ path })).headers
    const front = await headersOf('/')
    assert.deepEqual([front['x-front'], front['content-security-policy']], ['a', undefined])
    const own = await headersOf('/own/x?status=404')
    assert.deepEqual(
      [own['content-security-policy'], own['x-front'], own['referrer-policy'], own['x-content-type-options']],
      ["default-src 'self'", undefined, 'no-referrer', 'nosniff'],
    )
    assert.match(own['set-cookie']?.[0] ?? '', /^monohull_app=1;/)
    assert.equal((await headersOf('/own?header=referrer-policy:origin'))['referrer-policy'], 'origin')
    const bare = await headersOf('/bare/index.html')
    for (const name of ['x-front', 'x-content-type-options', 'referrer-policy', 'x-none'])
      assert.equal(bare[name], undefined, name)
    const docs = await headersOf('/docs/index.html')
    assert.deepEqual([docs['x-docs'], docs['x-front'], docs['cache-control']], ['b', 'a', 'no-cache'])
    const hello = await headersOf('/hello')
    assert.deepEqual([hello['x-hello'], hello['x-front']], ['c', 'a'])
  })

  it('are compressed, or not', async t => {
    const encodings = async (yaml: string) => {
      const monohull = await start(t, yaml)
      const query = '?length=2000&header=content-type:text/plain'
      const asked = ['/', '/other'].flatMap(path =>
        ['gzip', 'br'].map(async encoding => {
          const { headers } = await monohull.request({ path: path + query, headers: { 'accept-encoding': encoding } })
          return headers['content-encoding']
        }),
      )
      return Promise.all(asked)
    }
    const routes = (value: string) => `routes: [{ app: app }, { path: /other, app: app, compression: ${value} }]\n`
    const [gzip, brotli, ...other] = await encodings(routes('off'))
    assert.deepEqual([gzip, ...other], ['gzip', undefined, undefined])
    assert.deepEqual(await encodings(`compression: off\n${routes('on')}`), [undefined, undefined, 'gzip', brotli])
    assert.deepEqual(await encodings(routes('{ brotli: off, min_length: 3000 }')), [
      'gzip',
      brotli,
      undefined,
      undefined,
    ])
  })

  it('are cached by its own rules, in a store of its own, or not', async t => {
    const monohull = await start(
      t,
      `cache: { ttl: 1m, key: $uri }
routes:
  - { app: app }
  - { path: /never, app: app, cache: off }
  - { path: /marked, app: app, cache: { key: $uri, cookies: ignore } }
`,
    )
    const cachedAs = async (path: string, options: RequestOptions = {}) => {
      const { headers } = await monohull.request({ path, ...options })
      return headers['x-cache']
    }
    const twice = async (path: string, options?: RequestOptions) => [
      await cachedAs(path, options),
      await cachedAs(path, options),
    ]
    const cookie = { headers: { cookie: 'a=b' } }
    assert.deepEqual(await twice('/'), ['MISS', 'HIT'])
    assert.deepEqual(await twice('/', cookie), ['BYPASS', 'BYPASS'])
    assert.deepEqual(await twice('/never'), [undefined, undefined])
    assert.deepEqual(await twice('/marked/a'), ['MISS', 'MISS'])
    assert.deepEqual(await twice('/marked/b?header=cache-control:max-age=60', cookie), ['MISS', 'HIT'])
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'cache', 'purge'], {
      env: isolatedEnv(monohull.folder),
    })
    assert.match(stdout, /2 responses purged/)
    assert.equal(await cachedAs('/marked/b?header=cache-control:max-age=60'), 'MISS')
  })

  it('are cached where the whole front caches nothing', async t => {
    const monohull = await start(t, 'routes: [{ app: app }, { path: /blog, app: app, cache: { ttl: 1m } }]\n')
    const cachedAs = async (path: string) => (await monohull.request({ path })).headers['x-cache']
    assert.deepEqual([await cachedAs('/blog'), await cachedAs('/blog')], ['MISS', 'HIT'])
    assert.deepEqual([await cachedAs('/'), await cachedAs('/')], [undefined, undefined])
    // wherever the route stands, its cache is the same
    const routes = '[{ path: /new, app: app, cache: {} }, { path: /blog, app: app, cache: { ttl: 1m } }, { app: app }]'
    writeFileSync(join(monohull.folder, 'monohull.yaml'), `https: off\nroutes: ${routes}\n`)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal(await cachedAs('/blog'), 'HIT')
    assert.equal(await cachedAs('/new'), 'MISS')
  })
})

describe('the password file of a route', () => {
  it('is refused by its key when it cannot be used', async t => {
    const yaml = 'https: off\nroutes: [{ app: app }, { path: /x, app: app, basic_auth: { file: nobody } }]\n'
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('answers.cjs')],
      files: { 'monohull.yaml': yaml },
    })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /routes\.1\.basic_auth\.file: cannot be read: ENOENT/)
  })
})
