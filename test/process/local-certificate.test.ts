import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import http from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { createAuthority, createLocalCertificate } from '../../supervisor/certificates/local-ca/adapters/authority.ts'
import {
  authorityScope,
  localBackdateMs,
  localLifetimeMs,
  serverScope,
} from '../../supervisor/certificates/local-ca/profile.ts'
import { makeCertificate } from '../make-certificate.ts'
import { fixture, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'

const hello = ['run', 'node', fixture('hello.cjs')]

/** The name that a client who trusts one CA alone sees confirmed, or why it takes nothing. */
function trusts(port: number | undefined, servername: string, authority: string): Promise<string> {
  return new Promise(resolve => {
    const socket = tls.connect({ host: '127.0.0.1', port: port ?? 0, servername, ca: readFileSync(authority) })
    socket.once('secureConnect', () => {
      resolve(servername)
      socket.destroy()
    })
    socket.once('error', error => resolve(error.message))
  })
}

/** What the admin socket answers. */
function askAdmin(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text)).on('error', reject)
    })
    request.on('error', reject)
  })
}

async function serve(t: TestContext, folder: string, env: Record<string, string> = {}) {
  const monohull = startMonohull(t, { folder, args: hello, env })
  const { httpsPort } = await monohull.serving()
  return { monohull, httpsPort, certificate: await presented(httpsPort) }
}

describe('the local certificate', { concurrency: 3 }, () => {
  it('covers localhost, the host and every configured name, is accepted by clients that trust the CA, and survives restarts', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `server_names: [example.com]\nroutes:\n  - {path: /, app: app}\n  - {host: api.test, path: /, app: app}\n`,
    })
    const first = await serve(t, folder)
    const authority = join(folder, 'state/local-ca.crt')
    for (const name of ['localhost', hostname().toLowerCase(), 'example.com', 'api.test'])
      assert.equal(await trusts(first.httpsPort, name, authority), name)
    assert.match(await trusts(first.httpsPort, 'other.test', authority), /does not match certificate's altnames/)
    for (const key of ['local.key', 'local-ca.key'])
      assert.equal(statSync(join(folder, 'state', key)).mode & 0o777, 0o600)
    first.monohull.signal('SIGTERM')
    await first.monohull.exited
    const second = await serve(t, folder)
    assert.equal(second.certificate.serialNumber, first.certificate.serialNumber)
    assert.equal(second.monohull.output().match(/local CA created/g)?.length, 1)
    second.monohull.signal('SIGTERM')
    await second.monohull.exited
    const third = await serve(t, folder, { MONOHULL_SERVER_NAMES: 'sub.example.com' })
    assert.notEqual(third.certificate.serialNumber, first.certificate.serialNumber)
    assert.equal(await trusts(third.httpsPort, 'sub.example.com', authority), 'sub.example.com')
    assert.equal(third.monohull.output().match(/local CA created/g)?.length, 1)
    assert.doesNotMatch(third.monohull.output(), /PRIVATE KEY/)
  })

  it('replaces a self-signed one of an earlier version', async t => {
    const folder = temporaryFolder(t)
    makeCertificate(join(folder, 'state'), 'localhost', { chain: 'self-signed.crt', key: 'self-signed.key' })
    const { httpsPort } = await serve(t, folder)
    assert.equal(await trusts(httpsPort, 'localhost', join(folder, 'state/local-ca.crt')), 'localhost')
    assert.equal(statSync(join(folder, 'state/self-signed.key'), { throwIfNoEntry: false }), undefined)
  })

  it('shows in the metrics and in the readiness of the admin socket only', async t => {
    const { monohull, certificate } = await serve(t, temporaryFolder(t))
    const asked = (path: string) => askAdmin(join(monohull.folder, 'run/admin.sock'), path)
    const ends = `key_type="ecdsa"} ${Date.parse(certificate.validTo) / 1000}`
    const metrics = await asked('/metrics')
    const env = { MONOHULL_RUN_DIR: join(monohull.folder, 'run') }
    const printed = startMonohull(t, { args: ['status', '--metrics'], env })
    assert.equal(await printed.exited, 0)
    assert.equal(printed.output().includes(ends), true, printed.output())
    assert.match(metrics, /^monohull_certificate_expiry_timestamp_seconds\{names="localhost,/m)
    assert.ok(metrics.includes(ends), metrics)
    assert.match(metrics, /^monohull_certificate_renewal_timestamp_seconds\{name="localhost"\} \d+$/m)
    assert.match(metrics, /^monohull_workers\{app="app",state="serving"\} 2$/m)
    const [served] = JSON.parse(await asked('/readyz')).certificates.served
    assert.equal(Date.parse(served.notAfter), Date.parse(certificate.validTo))
    assert.equal(served.renewal.why, 'two thirds of its lifetime')
    assert.deepEqual(Object.keys(JSON.parse((await monohull.request({ path: '/readyz' })).body)), ['status', 'workers'])
  })

  it('is renewed while it serves, by the same CA and without touching the workers', async t => {
    const folder = temporaryFolder(t)
    const state = join(folder, 'state')
    const authority = { chain: join(state, 'local-ca.crt'), key: join(state, 'local-ca.key') }
    const dueInMs = 10_000
    const now = Date.now() + dueInMs + localBackdateMs - (localLifetimeMs * 2) / 3
    createAuthority(authority, { host: 'box', scope: authorityScope(['localhost']), now })
    const pair = { chain: join(state, 'local.crt'), key: join(state, 'local.key') }
    createLocalCertificate(pair, authority, { names: serverScope(['localhost']), now })
    const { monohull, httpsPort, certificate } = await serve(t, folder)
    assert.equal(certificate.toString(), readFileSync(pair.chain, 'utf8'))
    const worker = monohull.worker(1)
    const renewed = await until('a new certificate', async () => {
      const seen = await presented(httpsPort)
      return seen.serialNumber !== certificate.serialNumber && seen
    })
    assert.ok(Date.parse(renewed.validTo) > Date.now() + localLifetimeMs - 2 * localBackdateMs)
    assert.equal(await trusts(httpsPort, 'localhost', authority.chain), 'localhost')
    await monohull.seen(/certificates changed: localhost/)
    assert.equal(monohull.worker(1), worker)
  })
})
