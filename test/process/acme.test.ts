// needs: pebble
import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { newRecord, specOf } from '../../supervisor/certificates/acme/plan.ts'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { makeCertificate, makeDatedCertificate } from '../make-certificate.ts'
import { startAuthority } from './acme-authority.ts'
import { cert, issuerOf, serialOf, startWithAcme, windowOf } from './acme-monohull.ts'
import { fixture, type Monohull, startMonohull, temporaryFolder, until } from './monohull.ts'
import { presented } from './presented.ts'
import { keepAsking } from './traffic.ts'

const day = 86_400_000

describe('a certificate from a CA', { concurrency: 3 }, () => {
  it('is obtained in the background, served without a restart of anything, and not ordered again by a restart', async t => {
    const authority = await startAuthority(t)
    const monohull = startWithAcme(t, authority)
    await monohull.serving()
    const workers = [monohull.worker(1), monohull.worker(2)]
    const nginxWorkers = childrenOf(monohull.nginx())
    await monohull.seen(/certificate issued names=one\.test/)
    const [, asked] = await monohull.seen(
      /nginx\[(\d+)\] access\| \S+ \S+ "GET \/\.well-known\/acme-challenge\/[\w-]+ /,
    )
    assert.ok(nginxWorkers.includes(Number(asked)), 'a challenge takes no reload of nginx')
    await monohull.seen(/certificates changed/)
    assert.match(await issuerOf(monohull), /Pebble/)
    assert.deepEqual([monohull.worker(1), monohull.worker(2)], workers)
    const folder = join(monohull.folder, 'state/acme/certificates/one.test')
    const [id = ''] = readdirSync(folder).filter(name => /^[0-9a-f]{16}$/.test(name))
    assert.equal(statSync(join(folder, id, 'privkey.pem')).mode & 0o777, 0o600)
    monohull.signal('SIGTERM')
    await monohull.exited

    const again = startWithAcme(t, authority, { folder: monohull.folder })
    await again.serving()
    assert.match(await issuerOf(again), /Pebble/)
    const listed = await cert(t, again, 'list')
    assert.match(listed.output, /one\.test +acme +ecdsa .*two thirds of the lifetime/)
    assert.equal(authority.orders.length, 1)
    again.signal('SIGTERM')
    await again.exited

    const from = again.output().length
    const checked = startMonohull(t, {
      folder: monohull.folder,
      args: ['check', 'node', fixture('hello.cjs')],
      env: { ...authority.env, MONOHULL_TLS_ACME_DOMAINS: 'one.test' },
    })
    assert.equal(await checked.exited, 0)
    assert.match(checked.output().slice(from), /certificate \S+\/acme\/certificates\/one\.test\/\S+ for one\.test/)
    assert.doesNotMatch(checked.output().slice(from), /local CA will issue/)
  })

  it('is validated before the redirect, and unknown challenges are not found', async t => {
    const monohull = startWithAcme(t, await startAuthority(t))
    await monohull.seen(/certificate issued/)
    const path = '/.well-known/acme-challenge/nothing'
    assert.equal((await monohull.request({ scheme: 'http', path })).status, 404)
    assert.equal((await monohull.request({ scheme: 'http', path: '/.well-known/other' })).status, 308)
    assert.deepEqual(readdirSync(join(monohull.folder, 'run/acme-challenge')), [])
  })

  it('is validated before passwords, addresses, routes, client certificates and unknown hosts', async t => {
    const folder = temporaryFolder(t, {
      'monohull.yaml': `
https: on
server_names: [other.test]
unknown_host: "444"
basic_auth: { file: staff.htpasswd }
allow: [192.0.2.1]
tls: { client_certificates: { ca: clients.pem } }
routes:
  - { path: /, app: app }
  - { path: /.well-known, response: { status: 410 } }
  - { path: "^/.well-known/acme", match: regex, redirect: { to: "https://elsewhere.test/" } }
`,
      'staff.htpasswd': 'me:$2y$05$abcdefghijklmnopqrstuuJ0QJmJ5l5vB8v3vQeQk8cF8b1k5l2u.\n',
    })
    makeCertificate(folder, 'clients', { chain: 'clients.pem', key: 'clients.key' })
    const authority = await startAuthority(t)
    const env = { ...authority.env, MONOHULL_TLS_ACME_DOMAINS: 'one.test' }
    const monohull = startMonohull(t, { folder, args: ['run', 'node', fixture('hello.cjs')], env })
    await monohull.seen(/certificates changed/)
    assert.match(await issuerOf(monohull), /Pebble/)
    const at = (path: string) => monohull.request({ scheme: 'http', path, headers: { host: 'other.test' } })
    assert.equal((await at('/.well-known/acme-challenge/nothing')).status, 404)
    assert.equal((await at('/.well-known/other')).status, 403)
  })

  it('is renewed in the window that the CA suggests, at a time that a restart does not change, with `replaces`', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.window = windowOf(20, 40)
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificates changed/)
    const planned = (await cert(t, monohull, 'list', '--json')).output
    const { at, why } = JSON.parse(planned).served[0].renewal
    assert.ok(Date.parse(at) > Date.now() + 19 * day && Date.parse(at) < Date.now() + 41 * day, at)
    assert.match(why, /the CA suggests/)
    monohull.signal('SIGTERM')
    await monohull.exited

    const again = startWithAcme(t, authority, { folder: monohull.folder })
    await again.serving()
    const first = await serialOf(again)
    assert.equal(JSON.parse((await cert(t, again, 'list', '--json')).output).served[0].renewal.at, at)
    assert.equal(authority.asked(), 1)
    const early = await cert(t, again, 'renew', 'one.test')
    assert.match(early.output, /one\.test is not due before/)
    authority.behaviour.window = windowOf(-2, -1)
    assert.deepEqual(await cert(t, again, 'renew', 'one.test'), { code: 0, output: 'monohull: one.test renewed\n' })
    await until('the new certificate', async () => (await serialOf(again)) !== first)
    assert.equal(authority.orders.length, 2)
    assert.match(authority.orders[1]?.replaces ?? '', /^[\w-]{20,}\.[\w-]{8,}$/)
  })

  it('is renewed without a suggestion of the CA', async t => {
    const authority = await startAuthority(t)
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificates changed/)
    const first = await serialOf(monohull)
    assert.match((await cert(t, monohull, 'renew', 'one.test')).output, /not due before .*: two thirds of the lifetime/)
    assert.equal((await cert(t, monohull, 'renew', 'one.test', '--force')).code, 0)
    // an nginx worker names itself leaving a moment before it closes its sockets
    await until('the new certificate', async () => (await serialOf(monohull)) !== first)
    assert.equal(authority.orders[1]?.replaces, undefined)
  })

  it('covers several names, and is validated by a DNS record', async t => {
    const authority = await startAuthority(t)
    const hook = `const [action, name, value] = process.argv.slice(2)
      const body = JSON.stringify(action === 'add' ? { host: name + '.', value } : { host: name + '.' })
      fetch('${authority.dnsUrl}/' + (action === 'add' ? 'set-txt' : 'clear-txt'), { method: 'POST', body })`
    const config = `tls:
  acme:
    domains: [one.test, ["*.shop.test", shop.test]]
    challenge: dns-01
    dns_hook: [node, hook.cjs]
    key_type: rsa`
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      files: { 'monohull.yaml': config, 'hook.cjs': hook },
      env: { ...authority.env, MONOHULL_CONFIG: 'monohull.yaml' },
    })
    keepAsking(t, monohull)
    await monohull.seen(/certificate issued names=one\.test/)
    await monohull.seen(/certificate issued names=\*\.shop\.test,shop\.test/)
    await monohull.seen(/certificates changed.*shop\.test/)
    for (const name of ['one.test', 'shop.test', 'any.shop.test'])
      assert.match(await issuerOf(monohull, name), /Pebble/)
    const { publicKey } = await presented(monohull.instance().httpsPort, 'shop.test')
    assert.equal(publicKey.asymmetricKeyType, 'rsa')
  })
})

describe('a CA that misbehaves', { concurrency: 3 }, () => {
  /** Traffic flows, whatever happens to certificates. */
  async function expectServing(monohull: Monohull): Promise<void> {
    await monohull.serving()
    assert.equal((await monohull.request()).status, 200)
  }

  it('rejects every second nonce: obtained', async t => {
    const monohull = startWithAcme(t, await startAuthority(t, { env: { PEBBLE_WFE_NONCEREJECT: '50' } }))
    await monohull.seen(/certificate issued/)
    await expectServing(monohull)
  })

  it('limits the rate: retried when it says', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.limited = { orders: 1, seconds: 1 }
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificate not obtained .*429.*rateLimited.* retry_in=1s/)
    await expectServing(monohull)
    await monohull.seen(/certificate issued/)
    assert.equal(authority.orders.length, 2)
  })

  it('is down: logged, retried in a minute, and obtained once it is back', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.isDown = true
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificate not obtained .*cannot reach localhost.* retry_in=(4[5-9]|5\d)s|retry_in=1m/)
    await expectServing(monohull)
    assert.match(
      (await cert(t, monohull, 'list')).output,
      /awaited: one\.test.*the last attempt failed[\s\S]*cannot reach/,
    )
    authority.behaviour.isDown = false
    assert.equal((await cert(t, monohull, 'renew', 'one.test')).code, 0)
    assert.match(await issuerOf(monohull), /Pebble/)
  })

  it('is down when a renewal is due: the old certificate stays in use', async t => {
    const authority = await startAuthority(t)
    const monohull = startWithAcme(t, authority)
    await monohull.seen(/certificates changed/)
    const first = await serialOf(monohull)
    authority.behaviour.isDown = true
    const { code, output } = await cert(t, monohull, 'renew', 'one.test', '--force')
    assert.deepEqual([code, /cannot reach/.test(output)], [1, true])
    await monohull.seen(/certificate not renewed, the old one stays/)
    assert.equal(await serialOf(monohull), first)
    await expectServing(monohull)
  })

  it('accepts only one of two domains: that one is served', async t => {
    const authority = await startAuthority(t)
    authority.behaviour.refused = ['bad.test']
    const monohull = startWithAcme(t, authority, { domains: 'bad.test,one.test' })
    await monohull.seen(/certificate not obtained names=bad\.test .*rejectedIdentifier/)
    await monohull.seen(/certificates changed.*one\.test/)
    assert.match(await issuerOf(monohull), /Pebble/)
    await expectServing(monohull)
    authority.behaviour.refused = []
    assert.equal((await cert(t, monohull, 'renew', 'bad.test')).code, 0)
    assert.match(await issuerOf(monohull, 'bad.test'), /Pebble/)
  })

  it('issued a certificate that has expired: a local one at once, then a new one', async t => {
    const authority = await startAuthority(t)
    const folder = temporaryFolder(t)
    const place = join(folder, 'state/acme/certificates/one.test')
    makeDatedCertificate(join(place, '0123456789abcdef'), 'one.test', { from: -90, to: -1 })
    const plan = { name: 'one.test', domains: ['one.test'] }
    const settings = {
      directory: authority.env.MONOHULL_TLS_ACME_DIRECTORY ?? '',
      keyType: 'ecdsa',
      profile: undefined,
    }
    writeFileSync(join(place, 'record.json'), JSON.stringify(newRecord(specOf(plan, settings as never))))
    const monohull = startWithAcme(t, authority, { folder })
    await monohull.serving()
    await expectServing(monohull)
    await monohull.seen(/certificates changed/)
    assert.match(await issuerOf(monohull), /Pebble/)
  })
})

describe('before the first order', { concurrency: 3 }, () => {
  it('an unwritable state directory is logged, and nothing is ordered', async t => {
    const authority = await startAuthority(t)
    // no directory can be created there, not even by root
    const monohull = startWithAcme(t, authority, { env: { MONOHULL_STATE_DIR: '/dev/pts/monohull' } })
    await monohull.seen(/not obtained .*state_dir \/dev\/pts\/monohull is not writable/)
    assert.equal((await monohull.request()).status, 200)
    assert.equal(authority.orders.length, 0)
  })

  it('a name without an address is logged, and ordered only with --force', async t => {
    const authority = await startAuthority(t)
    const monohull = startWithAcme(t, authority, { domains: 'nowhere.test' })
    await monohull.seen(/not obtained .*DNS: nowhere\.test has no address/)
    assert.equal(authority.orders.length, 0)
    assert.equal((await cert(t, monohull, 'renew', 'nowhere.test', '--force')).code, 0)
    assert.match(await issuerOf(monohull, 'nowhere.test'), /Pebble/)
  })
})

describe('mounted certificates with ACME', { concurrency: 3 }, () => {
  it('are served, and nothing is ordered for their names', async t => {
    const authority = await startAuthority(t)
    const folder = temporaryFolder(t)
    makeDatedCertificate(join(folder, 'certs'), 'one.test', { from: -1, to: 80 })
    const monohull = startWithAcme(t, authority, { folder, domains: 'one.test,two.test' })
    await monohull.seen(/certificates changed/)
    assert.deepEqual(
      [await issuerOf(monohull), /Pebble/.test(await issuerOf(monohull, 'two.test'))],
      ['CN=one.test', true],
    )
    assert.deepEqual(
      authority.orders.map(({ identifiers }) => identifiers[0]?.value),
      ['two.test'],
    )
  })
})

describe('monohull cert', { concurrency: 3 }, () => {
  it('shows and checks what is served', async t => {
    const monohull = startWithAcme(t, await startAuthority(t))
    await monohull.seen(/certificates changed/)
    const shown = await cert(t, monohull, 'show', 'one.test')
    assert.match(shown.output, /^issuer +CN=Pebble.*$[\s\S]*^source +acme$|^source +acme$[\s\S]*^issuer +CN=Pebble/m)
    const checked = await cert(t, monohull, 'check', 'one.test')
    assert.equal(checked.code, 1)
    assert.match(
      checked.output,
      /one\.test: DNS:one\.test, TLSv1\.3\nissuer CN=Pebble[\s\S]*problem: this machine does not trust it/,
    )
    const other = await cert(t, monohull, 'check', 'other.test')
    assert.match(other.output, /problem: it does not cover other\.test, only DNS:one\.test/)
    assert.deepEqual(await cert(t, monohull, 'show', 'other.test'), {
      code: 1,
      output: 'monohull: no certificate for other.test: the served ones are for one.test\n',
    })
    assert.equal((await cert(t, monohull, 'renew')).code, 64)
    assert.match(
      (await cert(t, monohull, 'renew', 'x.test')).output,
      /tls\.acme has certificates for one\.test, not for x\.test/,
    )
  })
})
