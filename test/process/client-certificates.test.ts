import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import type http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeClientAuthority } from '../client-authority.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder } from './monohull.ts'

const echo = ['run', 'node', fixture('hello.cjs')]
/** What a client would like the app to believe. */
const forged = {
  'x-client-cert-verify': 'SUCCESS',
  'x-client-cert-subject': 'CN=admin',
  'x-client-cert-issuer': 'CN=admin',
  'x-client-cert-serial': '1',
  'x-client-cert-fingerprint': 'ab',
  'client-cert': ':AAAA:',
  'client-cert-chain': ':AAAA:',
}

async function serve(t: TestContext, yaml: string) {
  const folder = temporaryFolder(t, {
    'monohull.yaml': yaml,
    'site/index.html': 'static',
    'nginx/server.d/own.conf': 'location = /own { include snippets/require-client-certificate.conf; return 204; }\n',
  })
  const authority = makeClientAuthority(join(folder, 'ca'), 'Test clients')
  copyFileSync(authority.file, join(folder, 'clients.crt'))
  copyFileSync(authority.revoked, join(folder, 'clients.crl'))
  const monohull = startMonohull(t, { folder, args: echo })
  await monohull.serving()
  return { monohull, folder, authority }
}

/** Asks for a path with the certificate of a client, or none. */
function as(client: { cert: Buffer; key: Buffer } | undefined, monohull: Monohull) {
  const agent = client && new https.Agent({ ...client, keepAlive: false, maxCachedSessions: 0 })
  return (path: string, headers: http.OutgoingHttpHeaders = forged) =>
    monohull.request({ path, headers, ...(agent ? { agent } : {}) })
}

/** What of the client's certificate came through to the app. */
function told(body: string): Record<string, string> {
  const { headers } = JSON.parse(body) as { headers: Record<string, string> }
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes('client-cert')))
}

describe('tls.client_certificates', () => {
  it('required: everything but health and ACME needs one; the app is told whose, and by nobody else', async t => {
    const yaml = `https: on
server_names: [own.test]
tls: {client_certificates: {ca: clients.crt}, acme: {domains: [own.test], directory: 'https://127.0.0.1:1/dir'}}
routes:
  - {path: /, app: app}
  - {path: /files, files: {root: site}}
  - {path: /away, redirect: {to: 'https://else.test/'}}
  - {path: /fixed, response: {body: fixed}}
  - {path: /limited, response: {body: limited}, rate_limit: 100/s}
  - {path: /open, app: app, client_certificate: optional}
`
    const { monohull, authority } = await serve(t, yaml)
    const alice = authority.issue('alice')
    const nobody = as(undefined, monohull)
    for (const path of ['/', '/files/', '/files', '/away', '/fixed', '/limited', '/nothing']) {
      assert.equal((await nobody(path)).status, 403, path)
      assert.equal((await monohull.request({ path, scheme: 'http' })).status, 403, `${path} over HTTP`)
    }
    const page = await nobody('/', { accept: 'text/html' })
    assert.match(page.body, /none was sent/)
    assert.equal(
      JSON.parse((await nobody('/', { accept: 'application/json' })).body).error,
      'client_certificate_required',
    )
    for (const path of ['/healthz', '/readyz']) assert.equal((await nobody(path)).status, 200, path)
    assert.equal((await nobody('/.well-known/acme-challenge/none')).status, 404)

    const known = as(alice, monohull)
    assert.deepEqual([(await nobody('/own')).status, (await known('/own')).status], [403, 204])
    for (const [path, status] of Object.entries({
      '/': 200,
      '/files/': 200,
      '/files': 308,
      '/away': 308,
      '/fixed': 200,
      '/limited': 200,
    }))
      assert.equal((await known(path)).status, status, path)
    const certificate = new X509Certificate(alice.cert)
    const expected = {
      'x-client-cert-verify': 'SUCCESS',
      'x-client-cert-subject': 'O=Test,CN=alice',
      'x-client-cert-issuer': 'CN=Test clients',
      'x-client-cert-serial': certificate.serialNumber,
      'x-client-cert-fingerprint': certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    }
    assert.deepEqual(told((await known('/')).body), expected)
    assert.deepEqual(told((await nobody('/open')).body), { 'x-client-cert-verify': 'NONE' })
    assert.deepEqual(told((await monohull.request({ path: '/open', scheme: 'http', headers: forged })).body), {})
  })

  it('optional: one route needs one; what comes from another CA, or was revoked, is refused everywhere', async t => {
    const yaml = `tls: {client_certificates: {ca: clients.crt, crl: clients.crl, mode: optional}}
cache: {ttl: 1m}
routes:
  - {path: /, app: app}
  - {path: /admin, app: app, client_certificate: required}
`
    const { monohull, folder, authority } = await serve(t, yaml)
    const alice = as(authority.issue('alice'), monohull)
    const stranger = as(makeClientAuthority(join(folder, 'other'), 'Other clients').issue('eve'), monohull)
    const nobody = as(undefined, monohull)
    assert.deepEqual([(await nobody('/')).status, (await nobody('/admin')).status], [200, 403])
    assert.deepEqual([(await alice('/')).status, (await alice('/admin')).status], [200, 200])
    const cached = async (ask: typeof alice) => (await ask('/', {})).headers['x-cache']
    assert.deepEqual([await cached(nobody), await cached(alice)], ['HIT', 'BYPASS'])
    for (const path of ['/', '/admin']) {
      const { status, body } = await stranger(path, { accept: 'application/json' })
      assert.equal(status, 403, path)
      assert.equal(JSON.parse(body).error, 'client_certificate_refused')
    }
    authority.revoke('alice')
    copyFileSync(authority.revoked, join(folder, 'clients.crl'))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.deepEqual([(await alice('/')).status, (await nobody('/')).status], [403, 200])

    writeFileSync(join(folder, 'clients.crt'), 'half')
    monohull.signal('SIGHUP')
    await monohull.seen(/reload abandoned[\s\S]*tls\.client_certificates\.ca[\s\S]*contains no CERTIFICATE/)
    assert.equal((await nobody('/')).status, 200)
  })

  it('not set: nobody is asked, and what a client says of one does not reach the app', async t => {
    const { monohull } = await serve(t, '{}')
    assert.deepEqual(told((await as(undefined, monohull)('/')).body), {})
  })
})
