import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defer, fixture, type Monohull, needsRoot, type RequestOptions, startMonohull, until } from './monohull.ts'
import { holdRequest, sendRaw } from './raw.ts'

const answers = ['run', 'node', fixture('answers.cjs')]
const json = { accept: 'application/json' }

/** Starts with a configuration, HTTP only unless it says otherwise. */
async function start(t: Parameters<typeof startMonohull>[0], yaml: string, files: Record<string, string> = {}) {
  const monohull = startMonohull(t, { args: answers, files: { 'monohull.yaml': `https: off\n${yaml}\n`, ...files } })
  await monohull.serving()
  return monohull
}

const statusOf = async (monohull: Monohull, options: Parameters<Monohull['request']>[0]) =>
  (await monohull.request(options)).status

describe('max_body_size', () => {
  it('answers 413 with the limit and the key, as a page or as JSON', async t => {
    const monohull = await start(t, 'max_body_size: 2k')
    const { httpPort } = monohull.instance()
    assert.equal(await statusOf(monohull, { method: 'POST', body: 'x'.repeat(2048) }), 200)
    const body = 'x'.repeat(2049)
    const page = await monohull.request({ method: 'POST', body, headers: { accept: 'text/html,application/json' } })
    assert.equal(page.status, 413)
    assert.match(page.headers['content-type'] ?? '', /^text\/html/)
    assert.match(page.body, /limited to 2 KB\..*max_body_size/)
    const told = await monohull.request({ method: 'PUT', body, headers: json })
    assert.equal(told.status, 413)
    assert.match(told.headers['content-type'] ?? '', /^application\/json/)
    const { error, limit, key } = JSON.parse(told.body)
    assert.deepEqual([error, limit, key], ['too_large', '2k', 'max_body_size'])
    assert.equal(told.headers['x-content-type-options'], 'nosniff')
    const chunked = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n${'x'.repeat(4096)}\r\n0\r\n\r\n`
    assert.match(await sendRaw(httpPort, chunked), /^HTTP\/1\.1 413 /)
  })

  it("leaves the app's own 413 alone, and off lets anything in", async t => {
    const monohull = await start(t, 'max_body_size: off')
    assert.equal(await statusOf(monohull, { method: 'POST', body: 'x'.repeat(11 << 20) }), 200)
    assert.doesNotMatch(monohull.output(), /\[warn\]/)
    const own = await monohull.request({ path: '/own?status=413' })
    assert.deepEqual([own.status, own.body], [413, '/own '])
  })
})

describe('rate_limit and connection_limit', () => {
  it('answer 429 with Retry-After beyond the rate of an address, health never', async t => {
    const monohull = await start(t, 'rate_limit: 2/m burst=1')
    const first = await Promise.all([1, 2, 3, 4].map(() => monohull.request({ headers: json })))
    assert.deepEqual(first.map(({ status }) => status).sort(), [200, 200, 429, 429])
    const refused = first.find(({ status }) => status === 429) ?? assert.fail()
    assert.equal(refused.headers['retry-after'], '30')
    assert.equal(JSON.parse(refused.body).error, 'too_many_requests')
    assert.equal(await statusOf(monohull, { from: '127.0.0.2' }), 200)
    for (let count = 0; count < 4; count += 1) assert.equal(await statusOf(monohull, { path: '/healthz' }), 200)
  })

  it('count by the client that a trusted proxy names', async t => {
    const monohull = await start(t, 'rate_limit: 1/m burst=0\ntrusted_proxies: [127.0.0.2]')
    const from = (client: string) => ({ from: '127.0.0.2', headers: { 'x-forwarded-for': client } })
    assert.equal(await statusOf(monohull, from('203.0.113.1')), 200)
    assert.equal(await statusOf(monohull, from('203.0.113.1')), 429)
    assert.equal(await statusOf(monohull, from('203.0.113.2')), 200)
  })

  it('count the addresses of one network of IPv6 together', async t => {
    const monohull = await start(t, 'rate_limit: 1/m burst=0\ntrusted_proxies: [127.0.0.2]')
    const from = (client: string) => statusOf(monohull, { from: '127.0.0.2', headers: { 'x-forwarded-for': client } })
    assert.equal(await from('2001:db8:0:1::1'), 200)
    assert.equal(await from('2001:db8:0:1:ffff::2'), 429)
    assert.equal(await from('2001:db8:0:2::1'), 200)
    assert.equal(await from('::ffff:203.0.113.1'), 200)
    assert.equal(await from('::ffff:203.0.113.2'), 200)
    assert.equal(await from('::ffff:203.0.113.2'), 429)
  })

  it('leave what a location of the user has taken out of the path', async t => {
    const text = 'location ~ ^/own/(.*)$ { include snippets/proxy.conf; proxy_pass http://app_app/taken-$1; }\n'
    const monohull = await start(t, 'rate_limit: 9/s\ntrusted_proxies: [127.0.0.2]', {
      'nginx/server.d/own.conf': text,
    })
    const headers = { 'x-forwarded-for': '2001:db8::1' }
    assert.equal((await monohull.request({ path: '/own/a', from: '127.0.0.2', headers })).body, '/taken-a ')
  })

  it('bound what one address has open at the same time', async t => {
    const monohull = await start(t, 'connection_limit: 2')
    const { httpPort } = monohull.instance()
    const held = [await holdRequest(httpPort), await holdRequest(httpPort)]
    defer(t, () => held.forEach(socket => void socket.destroy()))
    assert.equal(await statusOf(monohull, {}), 429)
    assert.equal(await statusOf(monohull, { from: '127.0.0.2' }), 200)
    held.pop()?.destroy()
    await until('room for one more', async () => (await statusOf(monohull, {})) === 200)
  })
})

describe('basic_auth', () => {
  // of "apr1 secret" and "bcrypt secret"
  const passwords = `# staff
anne:$apr1$abcdefgh$nq3OuEziq2D.ewdNJm/u./
bert:$2b$04$dMy.bVUZgcc2p9xAW11JkuKUncnewOSZe3AfMerkwW3m0Lh1hZ6S2
`
  const as = (name: string, password: string) => ({
    headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  })

  it('lets in who is in the file; health is for anybody', async t => {
    const monohull = await start(t, 'basic_auth: { file: staff, realm: Staff only }', { staff: passwords })
    const refused = await monohull.request()
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['www-authenticate'], 'Basic realm="Staff only"')
    assert.equal(await statusOf(monohull, as('anne', 'apr1 secret')), 200)
    assert.equal(await statusOf(monohull, as('bert', 'bcrypt secret')), 200)
    assert.equal(await statusOf(monohull, as('bert', 'apr1 secret')), 401)
    assert.equal(await statusOf(monohull, { path: '/healthz' }), 200)
  })

  it('keeps the password from apps unless told to forward it, and asks preflights for it too', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('echo.cjs')],
      env: { MONOHULL_WORKERS: '1' },
      files: {
        staff: passwords,
        'monohull.yaml': `https: off
basic_auth: { file: staff }
routes:
  - { app: app }
  - { path: /own, app: app, basic_auth: { file: staff } }
  - { path: /told, app: app, basic_auth: { file: staff, forward: true } }
  - { path: /open, app: app, basic_auth: off }
`,
      },
    })
    await monohull.serving()
    const anne = as('anne', 'apr1 secret')
    const received = async (path: string, options: RequestOptions) =>
      JSON.parse((await monohull.request({ ...options, path })).body).headers.authorization
    for (const path of ['/', '/own', '/own/x']) assert.equal(await received(path, anne), undefined, path)
    assert.equal(await received('/told', anne), anne.headers.authorization)
    assert.equal(await received('/open', anne), anne.headers.authorization)
    assert.equal(await received('/open', { headers: { authorization: 'Bearer x' } }), 'Bearer x')
    const preflight = { origin: 'https://b.test', 'access-control-request-method': 'PUT' }
    const asked = (path: string) => statusOf(monohull, { path, method: 'OPTIONS', headers: preflight })
    assert.deepEqual([await asked('/'), await asked('/open')], [401, 200])
  })

  for (const [what, files, problem] of [
    ['is not there', {}, /basic_auth\.file: cannot be read: ENOENT/],
    ['holds a password as it is', { staff: 'anne:secret\n' }, /in line 1, got "[^"]*staff"/],
    ['contains no users', { staff: '# none yet\n' }, /contains no users/],
  ] as [string, Record<string, string>, RegExp][]) {
    it(`refuses to start when the file ${what}`, async t => {
      const yaml = 'https: off\nbasic_auth: { file: staff }\n'
      const monohull = startMonohull(t, { args: answers, files: { 'monohull.yaml': yaml, ...files } })
      assert.equal(await monohull.exited, 78)
      assert.match(monohull.output(), problem)
      assert.doesNotMatch(monohull.output(), /secret/)
    })
  }

  it('refuses a file that nginx could not read, before anybody gets 500', {
    skip: needsRoot,
  }, async t => {
    const monohull = await start(t, '', { staff: passwords })
    chmodSync(join(monohull.folder, 'staff'), 0o600)
    writeFileSync(join(monohull.folder, 'monohull.yaml'), 'https: off\nbasic_auth: { file: staff }\n')
    monohull.signal('SIGHUP')
    await monohull.seen(/basic_auth\.file: is not readable by www-data/)
    assert.equal(await statusOf(monohull, {}), 200)
  })
})

describe('allow and deny', () => {
  it('give 403 to whoever is not meant; health is for anybody', async t => {
    const monohull = await start(t, 'allow: [127.0.0.0/30, 10.0.0.0/8]\ndeny: [127.0.0.2]')
    const statuses = await Promise.all(
      ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'].map(from => statusOf(monohull, { from })),
    )
    assert.deepEqual(statuses, [200, 403, 200, 403])
    assert.equal(await statusOf(monohull, { from: '127.0.0.4', path: '/healthz' }), 200)
  })
})

describe('unknown_host', () => {
  it('421 is for hosts that are none of ours; health is for any', async t => {
    const monohull = await start(t, 'unknown_host: "421"\nserver_names: [Shop.example, "*.shop.example"]')
    const to = (host: string, path = '/') => statusOf(monohull, { path, headers: { host } })
    assert.equal(await to('shop.example'), 200)
    assert.equal(await to('SHOP.example:8080'), 200)
    assert.equal(await to('a.b.shop.example'), 200)
    assert.equal(await to('evil.example'), 421)
    assert.equal(await to('127.0.0.1'), 421)
    assert.equal(await to('evil.example', '/healthz'), 200)
    // which the app would get as it is written
    assert.equal(await to('evil.example', '/.well-known/acme-challenge/x'), 421)
    assert.equal(await to('evil.example', '/admin/../.well-known/acme-challenge/x'), 421)
  })

  it('444 closes the connection without a word, on the port that redirects too', async t => {
    const files = { 'monohull.yaml': 'unknown_host: "444"\nserver_names: [shop.example]\n' }
    const monohull = startMonohull(t, { args: answers, files })
    const { httpPort } = await monohull.serving()
    const request = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    assert.equal(await sendRaw(httpPort, request('evil.example')), '')
    assert.match(await sendRaw(httpPort, request('shop.example')), /^HTTP\/1\.1 308 /)

    const balanced = startMonohull(t, {
      args: answers,
      files: { 'monohull.yaml': `${files['monohull.yaml']}trusted_proxies: [10.0.0.0/8]\n` },
    })
    const { httpPort: balancedPort } = await balanced.serving()
    assert.equal(await sendRaw(balancedPort, request('evil.example')), '')
    assert.match(await sendRaw(balancedPort, request('shop.example')), /^HTTP\/1\.1 308 /)
  })
})

describe('error_pages', () => {
  it("stand in for nginx's own, not for the app's", async t => {
    const monohull = startMonohull(t, {
      args: ['run', './site'],
      files: {
        'site/index.html': 'x',
        'errors/404.html': '<!doctype html>\nNothing here',
        'monohull.yaml': 'https: off\nerror_pages: { 404: errors/404.html }\n',
      },
    })
    await monohull.serving()
    const { status, body, headers } = await monohull.request({ path: '/missing' })
    assert.deepEqual([status, body], [404, '<!doctype html>\nNothing here'])
    assert.match(headers['content-type'] ?? '', /^text\/html/)
    assert.equal(await statusOf(monohull, { path: '/.monohull/pages/404.html' }), 404)

    const proxied = await start(t, 'error_pages: { 404: errors/404.html }', { 'errors/404.html': 'never' })
    assert.equal((await proxied.request({ path: '/own?status=404' })).body, '/own ')
  })

  it('that cannot be read are refused', async t => {
    const files = { 'monohull.yaml': 'error_pages: { 404: nowhere.html }\n' }
    const monohull = startMonohull(t, { args: answers, files })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /error_pages\.404: cannot be read: ENOENT/)
  })
})
