// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Clock } from '../../../supervisor/base/clock.ts'
import type { Log } from '../../../supervisor/base/log.ts'
import { certificateStore } from '../../../supervisor/certificates/adapters/store.ts'
import type { CertificateFacts } from '../../../supervisor/certificates/certificate.ts'
import { localCertificate } from '../../../supervisor/certificates/local-ca/certificate.ts'
import { isWithin, permittedScope } from '../../../supervisor/certificates/local-ca/name-constraints.ts'
import {
  authorityScope,
  isLocalUsable,
  localLifetimeMs,
  localNames,
  localRenewalAt,
  serverScope,
} from '../../../supervisor/certificates/local-ca/profile.ts'
import { createLocalRenewal } from '../../../supervisor/certificates/local-ca/renewal.ts'
import { temporaryFolder } from '../../process/monohull.ts'

const dayMs = 86_400_000

/** Service with its own directories; `wait` moves its clock. */
function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  let now = Date.now()
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} }
  const lines: string[] = []
  const write = (message: string) => void lines.push(message)
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const stateDir = join(folder, 'state')
  const runDir = join(folder, 'run')
  const get = (names: string[] = [], change: { hostname?: string; stateDir?: string; runDir?: string } = {}) => {
    const settings = { certDir: '/certs', stateDir, runDir, hostname: 'box', names, ...change }
    return localCertificate(certificateStore, settings, { clock, log })
  }
  const wait = (ms: number) => {
    now += ms
  }
  return { stateDir, runDir, get, wait, clock, log, lines }
}

/** What openssl, as a client, says of a certificate of a CA for a name. */
function verify(authority: string, chain: string, name: string): string {
  try {
    return execFileSync(
      'openssl',
      ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', authority, '-verify_hostname', name, chain],
      { encoding: 'utf8', stdio: 'pipe' },
    )
  } catch (error) {
    return String((error as { stderr: unknown }).stderr)
  }
}

const describeText = (chain: string) =>
  execFileSync('openssl', ['x509', '-in', chain, '-noout', '-text'], { encoding: 'utf8' })

describe('certificates/local-ca: certificate', () => {
  it('creates a certificate that openssl accepts from the CA, strictly, for every name', async t => {
    const { get, stateDir } = setUp(t)
    const { files, authority } = await get(['Shop.example.com', '*.wild.test', '192.168.1.10'])
    for (const name of ['localhost', 'box', 'shop.example.com', 'any.wild.test'])
      assert.match(verify(authority.files.chain, files.chain, name), /: OK/, name)
    assert.match(verify(authority.files.chain, files.chain, 'other.test'), /hostname mismatch/)
    assert.match(
      describeText(files.chain),
      /IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, IP Address:192\.168\.1\.10/,
    )
    for (const file of ['local.key', 'local-ca.key'])
      assert.equal(statSync(join(stateDir, file)).mode & 0o777, 0o600, file)
  })

  it('has a CA that can sign only for servers below these names, and no further CA', async t => {
    const { get } = setUp(t)
    const { authority } = await get(['example.com', 'www.example.com'])
    const text = describeText(authority.files.chain)
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\s/)
    assert.match(text, /Extended Key Usage: \s+TLS Web Server Authentication\s/)
    assert.match(
      text,
      /Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+DNS:box\s+DNS:example\.com\s+IP:127\.0\.0\.1\/255\.255\.255\.255/,
    )
    const read = permittedScope(new X509Certificate(readFileSync(authority.files.chain)).raw)
    assert.deepEqual(read.hosts, ['localhost', 'box', 'example.com'])
    const local = await certificateStore.localAuthority()
    const stray = { chain: `${authority.files.chain}.stray`, key: `${authority.files.key}.stray` }
    local.sign(stray, authority.files, { names: { hosts: ['bank.test'], addresses: [] }, now: Date.now() })
    assert.match(verify(authority.files.chain, stray.chain, 'bank.test'), /permitted subtree violation/)
  })

  it('keeps both, whatever the host name, and renews only the certificate at two thirds of its lifetime', async t => {
    const { get, wait } = setUp(t)
    const first = await get(['example.com'])
    assert.ok(first.certificate.notAfter - first.certificate.notBefore <= 398 * dayMs)
    wait(59 * dayMs)
    const second = await get(['example.com'], { hostname: 'other' })
    assert.equal(second.certificate.id, first.certificate.id)
    wait(dayMs)
    const third = await get(['example.com'], { hostname: 'other' })
    assert.notEqual(third.certificate.id, first.certificate.id)
    assert.equal(third.authority.certificate.id, first.authority.certificate.id)
    assert.deepEqual(third.certificate.names.slice(0, 2), ['localhost', 'example.com'])
  })

  it('serves two instances with different names, which do not replace it in turn', async t => {
    const { get, wait, lines } = setUp(t)
    const [one, other] = [
      ['example.com', 'a.example.com', '10.0.0.1'],
      ['example.com', 'b.example.com', '10.0.0.1'],
    ]
    const first = await get(one)
    const second = await get(other)
    assert.notEqual(second.certificate.id, first.certificate.id)
    for (const names of [one, other, one]) assert.equal((await get(names)).certificate.id, second.certificate.id)
    assert.ok(!lines.some(line => line.startsWith('local CA replaced')))
    const all = ['localhost', 'box', 'example.com', 'b.example.com', 'a.example.com', '127.0.0.1', '::1', '10.0.0.1']
    assert.deepEqual([...second.certificate.names].sort(), all.sort())
    wait(60 * dayMs)
    assert.ok(!(await get(one)).certificate.names.includes('b.example.com'))
  })

  it('creates a new certificate for a name below the old ones, and a new CA for another', async t => {
    const { get, lines } = setUp(t)
    const first = await get(['example.com'])
    const below = await get(['example.com', 'www.example.com'])
    assert.notEqual(below.certificate.id, first.certificate.id)
    assert.equal(below.authority.certificate.id, first.authority.certificate.id)
    assert.ok(!lines.some(line => line.startsWith('local CA replaced')))
    const beyond = await get(['example.com', 'other.test'])
    assert.ok(lines.includes('local CA replaced: it may not sign for every configured name'))
    assert.notEqual(beyond.authority.certificate.id, first.authority.certificate.id)
    assert.match(verify(beyond.authority.files.chain, beyond.files.chain, 'other.test'), /: OK/)
  })

  it('creates both again if the CA expires soon, is damaged, or is another', async t => {
    const { get, wait, stateDir } = setUp(t)
    const first = await get()
    writeFileSync(join(stateDir, 'local-ca.key'), 'half')
    const second = await get()
    assert.notEqual(second.authority.certificate.id, first.authority.certificate.id)
    assert.match(verify(second.authority.files.chain, second.files.chain, 'localhost'), /: OK/)
    rmSync(join(stateDir, 'local-ca.crt'))
    const third = await get()
    assert.notEqual(third.authority.certificate.id, second.authority.certificate.id)
    wait(3600 * dayMs)
    assert.notEqual((await get()).authority.certificate.id, third.authority.certificate.id)
  })

  for (const days of [2, 366, 30 * 365])
    it(`keeps the CA while the clock is ${days} days behind, and after that`, async t => {
      const { get, wait } = setUp(t)
      const first = await get(['example.com'])
      wait(-days * dayMs)
      const behind = await get(['example.com'])
      assert.equal(behind.authority.certificate.id, first.authority.certificate.id)
      wait(days * dayMs)
      const after = await get(['example.com'])
      assert.equal(after.authority.certificate.id, first.authority.certificate.id)
      assert.match(verify(after.authority.files.chain, after.files.chain, 'example.com'), /: OK/)
    })

  it('keeps a CA of an earlier version with its certificate, whatever the clock, and warns that the clock is behind', async t => {
    const { get, wait, stateDir, lines } = setUp(t)
    const { create, sign } = await certificateStore.localAuthority()
    const authority = { chain: join(stateDir, 'local-ca.crt'), key: join(stateDir, 'local-ca.key') }
    const names = serverScope(['localhost', 'box'])
    // its validity began when it was created
    create(authority, { host: 'box', scope: authorityScope(['localhost', 'box']), now: Date.UTC(2019, 5, 1) })
    sign({ chain: join(stateDir, 'local.crt'), key: join(stateDir, 'local.key') }, authority, {
      names,
      now: Date.UTC(2019, 6, 1),
    })
    wait(Date.UTC(2018, 0, 1) - Date.now())
    const { certificate, authority: kept } = await get()
    assert.deepEqual([kept.files.chain, certificate.notBefore < Date.UTC(2019, 6, 1)], [authority.chain, true])
    assert.ok(lines.includes('the clock of this machine is behind'))
  })

  it('comes back to a CA that had expired only by a clock far ahead, and to one that was created then', async t => {
    const { get, wait } = setUp(t)
    const first = await get()
    wait(11 * 365 * dayMs)
    const ahead = await get()
    assert.notEqual(ahead.authority.certificate.id, first.authority.certificate.id)
    wait(-11 * 365 * dayMs)
    const back = await get()
    assert.equal(back.authority.certificate.fingerprint, first.authority.certificate.fingerprint)
    assert.match(verify(back.authority.files.chain, back.files.chain, 'localhost'), /: OK/)
  })

  it('created while the clock was ahead: the CA is kept, and clients accept its next certificate', async t => {
    const { get, wait } = setUp(t)
    wait(400 * dayMs)
    const ahead = await get()
    wait(-400 * dayMs)
    const right = await get()
    assert.equal(right.authority.certificate.id, ahead.authority.certificate.id)
    assert.match(verify(right.authority.files.chain, right.files.chain, 'localhost'), /: OK/)
  })

  it('replaces the self-signed certificate of an earlier version', async t => {
    const { get, stateDir } = setUp(t)
    mkdirSync(stateDir)
    for (const file of ['self-signed.crt', 'self-signed.key']) writeFileSync(join(stateDir, file), 'old')
    await get()
    for (const file of ['self-signed.crt', 'self-signed.key'])
      assert.equal(statSync(join(stateDir, file), { throwIfNoEntry: false }), undefined)
  })

  it('falls back to run_dir, and reports the reason if that is not writable either', async t => {
    const { get, runDir } = setUp(t)
    const { files } = await get([], { stateDir: '/dev/null/none' })
    assert.equal(files.chain, join(runDir, 'certificates/local.crt'))
    await assert.rejects(
      get([], { stateDir: '/dev/null/none', runDir: '/dev/null/none' }),
      /cannot create a local certificate in/,
    )
  })
})

describe('certificates/local-ca: renewal', () => {
  it('renews when due, and retries after an hour', async t => {
    const { get, wait, clock, log, lines } = setUp(t)
    const { certificate } = await get()
    let renewals = 0
    const renew = async () => {
      renewals++
      throw new Error('no space')
    }
    const renewal = createLocalRenewal({ clock, log, renew })
    const check = () => {
      renewal.check([{ source: 'local-ca', certificate }])
      return renewals
    }
    assert.equal(check(), 0)
    wait(localRenewalAt(certificate) - clock.now() - 1)
    assert.equal(check(), 0)
    wait(1)
    assert.deepEqual([check(), check()], [1, 1])
    wait(3_600_000)
    assert.equal(check(), 2)
    await Promise.resolve()
    assert.ok(lines.includes('cannot renew the local certificate'))
    renewal.check([{ source: 'mounted', certificate: { ...certificate, id: 'other' } }])
    assert.equal(renewals, 2)
  })
})

describe('certificates/local-ca: profile', () => {
  const now = Date.UTC(2026, 10, 21)
  const facts: CertificateFacts = {
    subject: 'CN=Monohull local certificate',
    issuer: 'CN=Monohull local CA box',
    names: ['example.com', 'localhost'],
    serial: '01',
    notBefore: now - localLifetimeMs / 2,
    notAfter: now + localLifetimeMs / 2,
    keyMatches: true,
    keyType: 'ecdsa',
    id: '0123456789abcdef',
    fingerprint: 'AB:CD',
    remarks: [],
  }

  it('covers localhost, the host and the configured names, without duplicates and invalid names', () => {
    assert.deepEqual(localNames('Box', ['Example.com', 'box', '*.example.com', 'localhost', 'a,DNS:evil.test', '-a']), [
      'localhost',
      'box',
      'example.com',
      '*.example.com',
    ])
    assert.deepEqual(localNames('', []), ['localhost'])
  })

  it('treats 10.0.0.1 as an address, but not 999.0.0.1', () => {
    const { hosts, addresses } = serverScope(['10.0.0.1', '999.0.0.1', '01.2.3.4'])
    assert.deepEqual(hosts, ['999.0.0.1', '01.2.3.4'])
    assert.deepEqual(addresses[2], Uint8Array.of(10, 0, 0, 1))
  })

  it('limits a CA to the parents of its names, each once', () => {
    const scope = authorityScope(['localhost', 'www.example.com', 'example.com', '*.wild.test'])
    assert.deepEqual(scope.hosts, ['localhost', 'example.com', 'wild.test'])
    const within = (name: string) => isWithin(scope, serverScope([name]))
    assert.deepEqual(['www.example.com', '*.wild.test', 'notexample.com', 'com', '10.0.0.1'].map(within), [
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('is kept while it has every name, the right key, and a third of its lifetime', () => {
    const usable = (change: Partial<CertificateFacts>, names = ['localhost']) =>
      isLocalUsable({ ...facts, ...change }, names, now)
    assert.equal(usable({}), true)
    assert.equal(usable({ notBefore: now - 2 * dayMs, notAfter: now + dayMs }), false)
    assert.equal(usable({ notBefore: now - 2 * dayMs, notAfter: now + dayMs + 2 }), true)
    assert.equal(usable({ notBefore: now + 1 }), false)
    assert.equal(usable({ keyMatches: false }), false)
    assert.equal(usable({}, ['localhost', 'new.example.com']), false)
  })
})
