import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { getText } from '../../supervisor/base/adapters/unix-http.ts'
import type { RequestCounts } from '../../supervisor/front/requests/request-counts.ts'
import { type AuthServer, startAuthServer } from './auth-server.ts'
import { defer, fixture, type Monohull, type RequestOptions, startMonohull, until } from './monohull.ts'
import { bodyOf, sendRaw } from './raw.ts'

/** Of "secret". */
const staff = 'anne:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n'
const password = { authorization: `Basic ${Buffer.from('anne:secret').toString('base64')}` }
const as = (name: string) => ({ cookie: `session=${name}` })

/** An app that tells what reached it, and speaks WebSocket. */
async function startApp(t: TestContext): Promise<number> {
  const server = http.createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method, url, headers } = request
    if (url === '/401') response.statusCode = 401
    response.setHeader('set-cookie', 'app=1')
    response.end(JSON.stringify({ method, url, headers, bodyBytes: body.length }))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, { headers }) => socket.send(String(headers['remote-user'])))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

interface World {
  monohull: Monohull
  auth: AuthServer
  ask(path: string, options?: RequestOptions): ReturnType<Monohull['request']>
  /** What reached the app, which is expected to respond. */
  reached(path: string, options?: RequestOptions): Promise<Record<string, string | undefined>>
}

async function start(t: TestContext): Promise<World> {
  const auth = await startAuthServer(t)
  const app = await startApp(t)
  const guard = (preset: string, more = '') => `forward_auth: { preset: ${preset}, upstream: auth${more} }`
  const own = (path: string, more = '') => `forward_auth: { upstream: auth, path: ${path}${more} }`
  const monohull = startMonohull(t, {
    env: { MONOHULL_WORKERS: undefined },
    files: {
      staff,
      'missing.html': 'not here',
      'monohull.yaml': `https: off
temp_dir: /dev/shm
error_pages: { 401: missing.html }
upstreams:
  auth: { servers: ["127.0.0.1:${auth.port}"], retries: 0, max_fails: 0 }
  app: { servers: ["127.0.0.1:${app}"] }
app: { command: [node, ${fixture('echo.cjs')}], workers: 1 }
routes:
  - { upstream: app }
  - { path: /authelia, upstream: app, strip_prefix: true, ${guard('authelia')} }
  - { path: /authentik, upstream: app, ${guard('authentik')} }
  - { path: /oauth2-proxy, upstream: app, ${guard('oauth2-proxy')} }
  - { path: /plain, upstream: app, ${guard('authelia', ', sign_in: off')} }
  - { path: /worker, app: app, ${guard('authelia')} }
  - { path: /token, upstream: app, ${own('/token', ', copy_headers: [Authorization], sign_in: "https://in.test/?a=b&to={url}#x"')} }
  - { path: /lines, upstream: app, ${own('/lines', ', copy_headers: [X-Groups, X-Only, X-Missing]')} }
  - { path: /gone, upstream: app, ${own('/nowhere')} }
  - { path: /unbuffered, upstream: app, request_buffering: off, ${guard('authelia')} }
  - { path: /moved, redirect: { to: /elsewhere }, ${guard('authelia')} }
  - { path: /fixed, response: { body: fixed }, ${guard('authelia')} }
  - { path: /m, internal: metrics, ${guard('authelia')} }
  - { path: /any, upstream: app, satisfy: any, basic_auth: { file: staff }, allow: [127.0.0.9], ${guard('authelia')} }
  - { path: /all, upstream: app, basic_auth: { file: staff }, allow: [127.0.0.9], ${guard('authelia')} }
  - { path: /either, upstream: app, satisfy: any, basic_auth: { file: staff }, allow: [127.0.0.9] }
`,
    },
  })
  await monohull.serving()
  const ask: World['ask'] = (path, options) => monohull.request({ path, ...options })
  return {
    monohull,
    auth,
    ask,
    async reached(path, options) {
      const { status, body } = await ask(path, options)
      assert.equal(status, 200, `${path}: ${body}`)
      return JSON.parse(body).headers
    },
  }
}

describe('forward auth', () => {
  it('works with Authelia, authentik and oauth2-proxy, and with other servers', async t => {
    const { monohull, auth, ask, reached } = await start(t)

    await t.test('passes on who the user is, and never what a client says about it', async () => {
      const forged = {
        'remote-user': 'root',
        'Remote-Groups': 'wheel',
        'X-authentik-username': 'root',
        'X-Auth-Request-User': 'root',
      }
      const authelia = await reached('/authelia/x', { headers: { ...as('anne'), ...forged } })
      assert.equal(authelia['remote-user'], 'anne')
      assert.equal(authelia['remote-groups'], 'staff,admins')
      const authentik = await reached('/authentik', { headers: { ...as('anne'), ...forged } })
      assert.equal(authentik['x-authentik-username'], 'anne')
      const oauth2 = await reached('/oauth2-proxy', { headers: { ...as('anne'), ...forged } })
      assert.equal(oauth2['x-auth-request-user'], 'anne')
      const token = await reached('/token', { headers: { ...as('anne'), authorization: 'Bearer own' } })
      assert.equal(token.authorization, 'Bearer of-anne')
      // a route without forward auth leads to the same app
      const open = await reached('/', { headers: { ...forged, authorization: 'Bearer own' } })
      assert.equal(open.authorization, 'Bearer own')
      for (const headers of [authelia, authentik, oauth2, token, open]) {
        const values = Object.entries(headers).filter(([name]) => /^(remote-|x-auth)/.test(name))
        assert.ok(
          values.every(([, value]) => value !== 'root' && value !== 'wheel'),
          JSON.stringify(values),
        )
      }
      assert.equal((await reached('/worker', { headers: { ...as('anne'), ...forged } }))['remote-user'], 'anne')
    })

    await t.test('joins the lines of a header, and passes on none that the auth server did not send', async () => {
      const forged = { 'x-groups': 'wheel', 'X-Only': ['root', 'root'], 'x-missing': 'root' }
      const headers = await reached('/lines', { headers: { ...as('anne'), ...forged } })
      const given = ['x-groups', 'x-only', 'x-missing'].map(name => headers[name])
      assert.deepEqual(given, ['staff, admins, a "b"', 'one', undefined])
    })

    await t.test('lets no auth server hear from a client who the user is', async () => {
      const forged = { 'Remote-User': 'root', 'X-authentik-username': 'root', 'x-groups': 'wheel', 'X-Mine': 'kept' }
      for (const path of ['/authelia', '/authentik', '/token', '/lines', '/any']) {
        await ask(path, { headers: { ...as('anne'), ...forged, authorization: 'Bearer own' } })
        const { headers } = auth.asked.at(-1) ?? assert.fail()
        const heard = Object.keys(forged).filter(name => headers[name.toLowerCase()] !== undefined)
        assert.deepEqual(heard, ['X-Mine'], path)
        // a credential, which an auth server may check
        assert.equal(headers.authorization, 'Bearer own', path)
      }
    })

    await t.test('asks about the head of a request as the client sent it, without its body', async () => {
      for (const path of ['/authelia', '/unbuffered']) {
        const body = 'x'.repeat(300_000)
        const headers = {
          ...as('anne'),
          'x-original-url': 'http://forged/',
          'if-none-match': '"x"',
          range: 'bytes=0-1',
        }
        const options = { method: 'POST', body, headers: { ...headers, host: 'shop.test:8080' } }
        const { status, body: answer } = await ask(`${path}/a%2Fb?c=d&e#f`.replace('#f', ''), options)
        assert.deepEqual([status, JSON.parse(answer).bodyBytes], [200, body.length])
        const { method, headers: sent, bodyBytes } = auth.asked.at(-1) ?? assert.fail()
        assert.deepEqual(
          [method, bodyBytes, sent['content-length'], sent['transfer-encoding']],
          ['GET', 0, undefined, undefined],
        )
        assert.equal(sent['x-original-url'], `http://shop.test:8080${path}/a%2Fb?c=d&e`)
        assert.deepEqual([sent['x-original-method'], sent['x-forwarded-method']], ['POST', 'POST'])
        assert.deepEqual([sent['x-forwarded-uri'], sent['x-forwarded-host']], [`${path}/a%2Fb?c=d&e`, 'shop.test:8080'])
        assert.deepEqual(
          [sent.host, sent['x-forwarded-for'], sent['x-forwarded-proto']],
          ['shop.test:8080', '127.0.0.1', 'http'],
        )
      }
      const chunked = await sendRaw(
        monohull.instance().httpPort,
        'POST /authelia HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: session=anne\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      )
      assert.equal(JSON.parse(bodyOf(chunked)).bodyBytes, 3)
      assert.equal(auth.asked.at(-1)?.headers['transfer-encoding'], undefined)
      assert.equal((await ask('/authelia', { method: 'HEAD', headers: as('anne') })).status, 200)
    })

    await t.test('sends browsers to sign in, and back to exactly the URL they asked for', async () => {
      const path = (base: string) => `${base}/a?b=1&c=%0d%0aX:%20y&next=//evil.test/`
      const at = async (base: string, headers = {}, method = 'GET') =>
        ask(path(base), { method, headers: { host: 'shop.test', ...headers } })
      const full = (base: string) => encodeURIComponent(`http://shop.test${path(base)}`)
      const authelia = await at('/authelia')
      assert.equal(authelia.status, 302)
      assert.equal(authelia.headers.location, `https://auth.test/?rd=${full('/authelia')}&rm=GET`)
      assert.equal(authelia.headers['cache-control'], 'no-store')
      const authentik = await at('/authentik')
      assert.equal(authentik.headers.location, `/outpost.goauthentik.io/start?rd=${full('/authentik')}`)
      assert.deepEqual(authentik.headers['set-cookie'], ['authentik_proxy=started; Path=/'])
      const oauth2 = await at('/oauth2-proxy')
      assert.equal(oauth2.headers.location, `/oauth2/sign_in?rd=${encodeURIComponent(path('/oauth2-proxy'))}`)
      assert.equal((await at('/token')).headers.location, `https://in.test/?a=b&to=${full('/token')}#x`)
      assert.equal((await at('/authelia', {}, 'POST')).status, 303)
      assert.equal((await at('/authelia', {}, 'HEAD')).status, 302)
      assert.equal((await at('/worker')).status, 302)
      // a fragment that a client sends all the same
      const raw = await sendRaw(
        monohull.instance().httpPort,
        'GET /token?x#y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      )
      assert.doesNotMatch(raw, /^HTTP\/1.1 200/)
      // scripts and programs cannot sign in
      for (const headers of [
        { 'sec-fetch-mode': 'cors' },
        { accept: 'application/json' },
        { 'x-requested-with': 'XMLHttpRequest' },
      ]) {
        const { status, headers: sent, body } = await at('/authelia', headers)
        assert.deepEqual([status, sent.location, body], [401, undefined, 'not here'])
      }
      assert.deepEqual([(await at('/plain')).status, (await at('/plain')).headers.location], [401, undefined])
      assert.equal((await ask('/authelia', { headers: as('bert') })).status, 403)
      // the app's own 401 is its own
      assert.equal((await ask('/authelia/401', { headers: as('anne') })).status, 401)
    })

    await t.test('passes on a renewed session in several large cookies', async () => {
      for (const path of ['/authelia', '/worker']) {
        const { status, headers } = await ask(path, { headers: as('renew') })
        assert.equal(status, 200)
        const names = headers['set-cookie']?.map(cookie => cookie.split('=')[0]).sort()
        assert.deepEqual(names, [...(path === '/worker' ? [] : ['app']), 'session_0', 'session_1', 'session_2'])
        // not those of an earlier request on the connection, or of another user
        assert.equal(
          (await ask(path, { headers: as('anne') })).headers['set-cookie']?.includes('session_0') ?? false,
          false,
        )
      }
      const large = { cookie: `session=anne; other=${'x'.repeat(14_000)}` }
      assert.equal((await reached('/authelia', { headers: large }))['remote-user'], 'anne')
    })

    await t.test('applies to WebSockets, redirects, fixed responses and pages of monohull', async () => {
      const url = `ws://127.0.0.1:${monohull.instance().httpPort}/authelia/`
      const signal = AbortSignal.timeout(20_000)
      const socket = new WebSocket(url, { headers: as('anne') })
      defer(t, () => socket.terminate())
      assert.equal(String((await once(socket, 'message', { signal }))[0]), 'anne')
      assert.equal(auth.asked.at(-1)?.headers.upgrade, undefined)
      const refused = new WebSocket(url)
      refused.on('error', () => {})
      const [, response] = await once(refused, 'unexpected-response', { signal })
      assert.equal(response.statusCode, 401)
      response.resume()
      for (const [path, status] of [
        ['/moved', 308],
        ['/fixed', 200],
        ['/m', 200],
      ] as const) {
        assert.equal((await ask(path)).status, 302, path)
        assert.equal((await ask(path, { headers: as('anne') })).status, status, path)
      }
      // nobody asks the location itself
      assert.equal((await ask('/.monohull/forward-auth-1', { headers: as('anne') })).status, 404)
    })

    await t.test('counts each request once', async () => {
      await ask('/authentik/counted', { headers: as('anne') })
      const lines = await until('the access line', () => {
        const found = monohull
          .output()
          .split('\n')
          .filter(line => line.includes('/authentik/counted'))
        return found.length > 0 && found
      })
      assert.equal(lines.length, 1)
      const countOf = async () => {
        const text = await getText(join(monohull.folder, 'run/admin.sock'), '/requests')
        const { series } = JSON.parse(text ?? '{"series":[]}') as RequestCounts
        return series.find(({ route, status }) => route === '/authentik' && status === 200)?.count ?? 0
      }
      const before = await until('the counts', async () => (await countOf()) || undefined)
      await ask('/authentik', { headers: as('anne') })
      assert.equal(
        await until('the next count', async () => ((await countOf()) > before ? countOf() : undefined)),
        before + 1,
      )
    })

    await t.test('may be one of several checks of which one is enough', async () => {
      const inside = { from: '127.0.0.9' }
      assert.equal((await ask('/any')).status, 302)
      assert.equal((await ask('/any', { headers: as('anne') })).status, 200)
      assert.equal((await ask('/any', { headers: password })).status, 200)
      assert.equal((await reached('/any', { ...inside, headers: { 'remote-user': 'root' } }))['remote-user'], undefined)
      assert.equal(auth.asked.at(-1)?.headers.authorization, undefined)
      assert.equal((await ask('/all', { headers: { ...as('anne'), ...password } })).status, 403)
      assert.equal((await ask('/all', { ...inside, headers: as('anne') })).status, 401)
      assert.equal((await ask('/all', { ...inside, headers: password })).status, 302)
      assert.equal((await ask('/all', { ...inside, headers: { ...as('anne'), ...password } })).status, 200)
      assert.equal((await ask('/either')).status, 401)
      assert.equal((await ask('/either', { headers: password })).status, 200)
      assert.equal((await ask('/either', inside)).status, 200)
      // the access phase also reserves room for bodies, which is no permission
      for (const path of ['/any', '/either']) {
        const { status } = await ask(path, { method: 'POST', body: 'x'.repeat(400_000) })
        assert.equal(status, path === '/any' ? 303 : 401)
      }
    })

    await t.test('rejects paths that lead around it', async () => {
      for (const path of ['//x/authelia', '/authelia;x', '/%61uthelia', '/x/../authelia'])
        assert.equal((await ask(path)).status, 400, path)
    })

    await t.test('lets nobody in while the auth server is out of order', async () => {
      const paths = ['/authelia', '/worker', '/fixed', '/m', '/oauth2-proxy']
      async function allDenied(fault: string) {
        for (const path of paths)
          for (const method of ['GET', 'POST', 'HEAD']) {
            const { status, headers } = await ask(path, { method, headers: as('anne') })
            assert.deepEqual([status, headers['remote-user']], [503, undefined], `${method} ${path}: ${fault}`)
          }
      }
      for (const fault of [500, 502, 503, 404, 302, 304, 431, 'drop'] as const) {
        auth.fault = fault
        await allDenied(String(fault))
      }
      auth.fault = undefined
      assert.equal((await ask('/gone', { headers: as('anne') })).status, 503)
      auth.fault = 'hang'
      const results = await Promise.all(paths.map(path => ask(path, { headers: as('anne') })))
      assert.deepEqual(
        results.map(({ status }) => status),
        paths.map(() => 503),
      )
      await auth.stop()
      await allDenied('stopped')
      assert.match((await ask('/authelia', { headers: as('anne') })).body, /unavailable/)
      assert.equal((await ask('/')).status, 200)
    })
  })
})
