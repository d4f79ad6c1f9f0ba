import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { makeCertificate } from '../make-certificate.ts'
import { startAuthServer } from './auth-server.ts'
import { setRoute, tell } from './dynamic-monohull.ts'
import { startLoginServer } from './login-server.ts'
import { defer, fixture, type Monohull, startMonohull, temporaryFolder } from './monohull.ts'

/** Server that lets everyone in, with a certificate that no CA of the system has issued; the names that clients expect of it. */
async function startUntrusted(t: TestContext): Promise<{ port: number; names: unknown[] }> {
  const folder = temporaryFolder(t)
  makeCertificate(folder, 'localhost', { chain: 'cert.pem', key: 'key.pem' })
  const [cert, key] = ['cert.pem', 'key.pem'].map(name => readFileSync(join(folder, name)))
  const names: unknown[] = []
  const server = https.createServer({ cert, key }, (_, response) => response.end())
  server.on('connection', socket => socket.on('error', () => {}))
  server.on('tlsClientError', (_, socket) => names.push(socket instanceof TLSSocket && socket.servername))
  server.on('secureConnection', ({ servername }) => names.push(servername))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, names }
}

/** A client that keeps cookies and follows redirects, as a browser does. */
function createVisitor(monohull: Monohull) {
  const jar = new Map<string, string>()
  async function visit(
    path: string,
    form?: Record<string, string>,
  ): Promise<{ path: string; status: number; body: string }> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const { status, headers, body } = await monohull.request({
      path,
      headers: { accept: 'text/html', host: 'shop.test', ...(cookie ? { cookie } : {}) },
      ...(form ? { method: 'POST', body: String(new URLSearchParams(form)) } : {}),
    })
    for (const text of headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
      if (/max-age=0/i.test(text)) jar.delete(name)
      else jar.set(name, value)
    }
    return headers.location === undefined ? { path, status, body } : visit(headers.location)
  }
  return { visit, jar }
}

describe('forward auth', () => {
  it('asks a server that is named by its URL, and verifies its certificate', async t => {
    const auth = await startAuthServer(t)
    const untrusted = await startUntrusted(t)
    const route = (path: string, keys: string) => `  - { path: ${path}, app: app, forward_auth: { ${keys} } }\n`
    const monohull = startMonohull(t, {
      env: { MONOHULL_WORKERS: undefined },
      files: {
        'monohull.yaml': `https: off
server_names: [shop.test]
dynamic_routes: { store: file }
app: { command: [node, ${fixture('echo.cjs')}], workers: 1 }
routes:
${route('/address', `url: "http://127.0.0.1:${auth.port}", preset: authelia`)}${route('/named', `url: "http://localhost:${auth.port}/token", copy_headers: [Authorization]`)}${route('/untrusted', `url: "https://localhost:${untrusted.port}/"`)}${route('/unknown', 'url: "http://nowhere.invalid/check"')}`,
      },
    })
    await monohull.serving()
    const anne = { host: 'shop.test', cookie: 'session=anne' }
    const reached = async (path: string) => {
      const { status, body } = await monohull.request({ path, headers: anne })
      assert.equal(status, 200, `${path}: ${body}`)
      return JSON.parse(body).headers
    }
    assert.equal((await reached('/address'))['remote-user'], 'anne')
    assert.equal((await reached('/named')).authorization, 'Bearer of-anne')
    const [first, second] = auth.asked
    assert.deepEqual([first?.url, first?.headers.host], ['/api/authz/auth-request', `127.0.0.1:${auth.port}`])
    assert.deepEqual([second?.url, second?.headers.host], ['/token', `localhost:${auth.port}`])
    assert.equal(second?.headers['x-forwarded-host'], 'shop.test')
    assert.equal((await monohull.request({ path: '/named' })).status, 401)
    assert.equal((await monohull.request({ path: '/untrusted', headers: anne })).status, 503)
    assert.ok(untrusted.names.includes('localhost'), JSON.stringify(untrusted.names))
    await monohull.seen(/upstream SSL certificate verify error/)
    assert.equal((await monohull.request({ path: '/unknown', headers: anne })).status, 503)
    // dynamic routes are open, and no client says there who it is
    await setRoute(monohull, 'app', 'customer.test')
    const forged = { host: 'customer.test', 'remote-user': 'root' }
    const { status, body } = await monohull.request({ path: '/address', headers: forged })
    assert.deepEqual([status, JSON.parse(body).headers['remote-user']], [200, undefined])
    assert.match((await tell(t, monohull, 'status')).output, new RegExp(`http://localhost:${auth.port} +localhost:`))
  })

  it('signs a browser in, lets it see what it asked for, and signs it out', async t => {
    const port = await startLoginServer(t)
    const monohull = startMonohull(t, {
      env: { MONOHULL_WORKERS: undefined },
      files: {
        'monohull.yaml': `https: off
app: { command: [node, ${fixture('echo.cjs')}], workers: 1 }
upstreams: { auth: { servers: ["127.0.0.1:${port}"] } }
routes:
  - { app: app, forward_auth: { preset: oauth2-proxy, upstream: auth } }
  - { path: /oauth2, upstream: auth }
`,
      },
    })
    await monohull.serving()
    const { visit, jar } = createVisitor(monohull)
    const asked = '/orders?a=1&b=%26&to=/x'
    const page = await visit(asked)
    assert.deepEqual([page.status, page.path], [200, `/oauth2/sign_in?rd=${encodeURIComponent(asked)}`])
    const [, rd = ''] = /name=rd value="([^"]*)"/.exec(page.body) ?? []
    assert.equal(rd, asked)
    const form = { username: 'anne', rd }
    assert.equal((await visit('/oauth2/sign_in', { ...form, password: 'guess' })).status, 403)
    assert.equal(jar.size, 0)
    const seen = await visit('/oauth2/sign_in', { ...form, password: 'secret' })
    assert.deepEqual([seen.status, seen.path], [200, asked])
    const { url, headers } = JSON.parse(seen.body)
    assert.deepEqual([url, headers['x-auth-request-user']], [asked, 'anne'])
    assert.equal(headers['x-auth-request-email'], 'anne@a.test')
    const out = await visit('/oauth2/sign_out?rd=/orders')
    assert.deepEqual([jar.size, out.path], [0, `/oauth2/sign_in?rd=${encodeURIComponent('/orders')}`])
  })
})
