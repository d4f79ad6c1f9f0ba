import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createAuthority, createLocalCertificate } from '../../supervisor/certificates/local-ca/adapters/authority.ts'
import { authorityScope, serverScope } from '../../supervisor/certificates/local-ca/profile.ts'
import { fixture, type Monohull, type RequestOptions, startMonohull, temporaryFolder, until } from './monohull.ts'

const answers = ['run', 'node', fixture('answers.cjs')]
const header = 'strict-transport-security'

/** Mounts a certificate of some CA. */
function mount(folder: string): void {
  const authority = { chain: join(folder, 'ca.crt'), key: join(folder, 'ca.key') }
  const now = Date.now()
  createAuthority(authority, { host: 'test', scope: authorityScope(['localhost']), now })
  const pair = { chain: join(folder, 'certs/tls.crt'), key: join(folder, 'certs/tls.key') }
  createLocalCertificate(pair, authority, { names: serverScope(['localhost']), now })
}

const told = async (monohull: Monohull, options?: RequestOptions) => (await monohull.request(options)).headers[header]

describe('tls.hsts', { concurrency: 3 }, () => {
  it('goes through its stages while it serves, over HTTPS only, and ends when the certificate is no longer trusted', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': 'https: on\ntls: {hsts: true}\nunknown_host: "421"\nserver_names: [localhost]\n',
    })
    mount(folder)
    const record = join(folder, 'state/hsts.json')
    mkdirSync(join(folder, 'state'))
    writeFileSync(record, JSON.stringify({ stage: 0, since: Date.now() - 300_000 + 8000 }))
    const monohull = startMonohull(t, { folder, args: answers })
    await monohull.serving()
    const headers = { host: 'localhost' }
    assert.equal(await told(monohull, { headers }), 'max-age=300')
    assert.equal(await told(monohull, { headers, scheme: 'http' }), undefined)
    assert.equal(await told(monohull, { headers, path: `/?header=${header}:max-age=1` }), 'max-age=1')
    assert.equal(await told(monohull, { headers: { host: 'unknown.test' } }), 'max-age=300')
    await until('a week', async () => (await told(monohull, { headers })) === 'max-age=604800')
    await monohull.seen(/HSTS changed header="?max-age=604800/)
    assert.equal(JSON.parse(readFileSync(record, 'utf8')).stage, 1)

    monohull.signal('SIGTERM')
    await monohull.exited
    rmSync(join(folder, 'certs'), { recursive: true })
    const again = startMonohull(t, { folder, args: answers })
    await again.serving()
    assert.equal(await told(again, { headers }), undefined)
    await again.seen(/HSTS header not sent yet/)
    mount(folder)
    await until('a good certificate', async () => (await told(again, { headers })) === 'max-age=300')
  })

  it('sends the configured values, which a reload changes', async t => {
    const routes = `routes:
  - {path: /, app: app}
  - {path: /own, app: app, headers: {X-Own: a}}
  - {path: /short, app: app, headers: {${header}: max-age=60}}
  - {path: /none, app: app, headers: {${header}: off}}`
    const write = (text: string) => ({ 'monohull.yaml': `tls: {hsts: ${text}}\n${routes}\n` })
    const folder = temporaryFolder(t, write('{max_age: 365d, include_subdomains: true}'))
    mount(folder)
    const monohull = startMonohull(t, { folder, args: answers })
    await monohull.serving()
    for (const path of ['/', '/own'])
      assert.equal(await told(monohull, { path }), 'max-age=31536000; includeSubDomains')
    assert.equal(await told(monohull, { path: '/short' }), 'max-age=60')
    assert.equal(await told(monohull, { path: '/none' }), undefined)
    writeFileSync(join(folder, 'monohull.yaml'), write('{max_age: 0s}')['monohull.yaml'])
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    await until('max-age=0', async () => (await told(monohull)) === 'max-age=0')
  })

  it('is sent to clients of a proxy that terminates TLS, whatever the certificate here', async t => {
    const files = {
      'monohull.yaml': 'https: off\ntrusted_proxies: [127.0.0.1]\ntls: {hsts: {max_age: 1d}}\n',
    }
    const monohull = startMonohull(t, { files, args: answers })
    await monohull.serving()
    assert.equal(await told(monohull, { headers: { 'x-forwarded-proto': 'https' } }), 'max-age=86400')
    assert.equal(await told(monohull), undefined)
  })
})
