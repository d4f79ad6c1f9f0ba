import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { challengePath } from '../../supervisor/adapters/acme-challenges.ts'
import { bindExternally, signJws, thumbprint } from '../../supervisor/adapters/acme-jws.ts'
import { createKeyMaker, dnsRecord } from '../../supervisor/adapters/acme-keys.ts'
import { systemClock } from '../../supervisor/base/clock.ts'
import { AcmeError, type AcmeRecord, folderOf, newRecord, nextStep } from '../../supervisor/domain/acme.ts'
import type { AcmeClient, AcmeOrder, AcmeStore, ChallengeSolver } from '../../supervisor/domain/acme-ports.ts'
import { planRenewal, type RenewalFacts, readRetryAfter } from '../../supervisor/domain/acme-renewal.ts'
import { authorityKeyId, serialContent } from '../../supervisor/domain/der.ts'
import { obtainCertificate } from '../../supervisor/services/acme-order.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 21)
const certificate = { id: 'abc', notBefore: now, notAfter: now + 90 * day }

describe('domain/acme-renewal', () => {
  const plan = (change: Partial<RenewalFacts> = {}) =>
    planRenewal({ certificate, previous: undefined, info: undefined, now, random: 0.5, ...change })
  const info = (from: number, to: number, change = {}) => ({
    window: { start: now + from * day, end: now + to * day },
    retryAfterMs: 3_600_000,
    explanation: undefined,
    ...change,
  })

  it('takes two thirds of the lifetime, or half of a short one, and up to a twentieth less', () => {
    assert.equal(plan({ random: 0 }).at, now + 60 * day)
    assert.equal(plan({ random: 1 }).at, now + 55.5 * day)
    const short = { ...certificate, notAfter: now + 6 * day }
    assert.deepEqual(
      [plan({ certificate: short, random: 0 }).at, plan({ certificate: short }).why],
      [now + 3 * day, 'half of the lifetime'],
    )
    const border = { ...certificate, notAfter: now + 10 * day }
    assert.equal(plan({ certificate: border }).why, 'half of the lifetime')
  })

  it('takes a random time in the window, once', () => {
    const first = plan({ info: info(10, 20) })
    assert.deepEqual([first.at, first.askAgainAt], [now + 15 * day, now + 3_600_000])
    assert.equal(plan({ info: info(10, 20), previous: first, random: 0.9 }).at, first.at)
    assert.equal(plan({ info: info(10, 21), previous: first, random: 0 }).at, now + 10 * day)
    assert.equal(plan({ info: info(10, 20), previous: { ...first, of: 'another' }, random: 0 }).at, now + 10 * day)
  })

  it('keeps what was planned while the CA is silent, and asks again', () => {
    const first = plan({ info: info(10, 20) })
    const later = plan({ previous: first, now: now + day })
    assert.deepEqual([later.at, later.askAgainAt], [first.at, now + day + 6 * 3_600_000])
  })

  it('does not believe a window that is none', () => {
    assert.equal(plan({ info: info(20, 10) }).window, undefined)
    assert.equal(plan({ info: info(90, 99) }).window, undefined)
  })

  it('renews before the end, however long the window', () => {
    assert.equal(plan({ info: info(10, 9999), random: 1 }).at, now + 81 * day)
    assert.equal(plan({ info: info(85, 9999), random: 1 }).at, now + 85 * day)
  })

  it('says why, with what the CA explains', () => {
    assert.match(
      plan({ info: info(-2, -1, { explanation: 'https://ca.test/incident' }) }).why,
      /at once; https:\/\/ca\.test/,
    )
  })

  it('asks neither more than once a minute nor less than once a day', () => {
    assert.equal(plan({ info: info(1, 2, { retryAfterMs: 0 }) }).askAgainAt, now + 60_000)
    assert.equal(plan({ info: info(1, 2, { retryAfterMs: 99 * day }) }).askAgainAt, now + day)
  })

  it('reads Retry-After in both forms', () => {
    assert.equal(readRetryAfter('120', now), 120_000)
    assert.equal(readRetryAfter(new Date(now + 5000).toUTCString(), now), 5000)
    assert.deepEqual([readRetryAfter('soon', now), readRetryAfter(undefined, now)], [undefined, undefined])
  })
})

describe('domain/acme: nextStep', () => {
  const record = (change: Partial<AcmeRecord> = {}): AcmeRecord => ({ ...newRecord('w'), ...change })
  const renewal = { of: 'abc', at: now + day, why: 'reason', window: undefined, askAgainAt: now + day / 4 }

  it('orders what is missing, and waits after a failure', () => {
    assert.deepEqual(nextStep(record(), undefined, now), { kind: 'order', why: 'there is none' })
    assert.equal(nextStep(record({ retryAt: now + 1 }), undefined, now).kind, 'wait')
    assert.equal(nextStep(record({ retryAt: now }), undefined, now).kind, 'order')
  })

  it('asks the CA for its window, again and again, and for a new certificate anew', () => {
    assert.equal(nextStep(record(), certificate, now).kind, 'ask')
    assert.equal(nextStep(record({ renewal }), certificate, now).kind, 'wait')
    assert.equal(nextStep(record({ renewal }), certificate, renewal.askAgainAt).kind, 'ask')
    assert.equal(nextStep(record({ renewal: { ...renewal, of: 'old' } }), certificate, now).kind, 'ask')
  })

  it('renews when it is time', () => {
    const due = { ...renewal, at: now - 1, askAgainAt: now + 1 }
    assert.deepEqual(nextStep(record({ renewal: due }), certificate, now), { kind: 'order', why: 'reason' })
  })

  it('names a folder for each certificate', () => {
    assert.deepEqual(['*.Shop.test', 'a.test'].map(folderOf), ['_.shop.test', 'a.test'])
  })
})

describe('domain/der', () => {
  it('gives a serial number as DER has it', () => {
    const hex = (text: string) => Buffer.from(serialContent(text)).toString('hex')
    assert.deepEqual(['87654321', '7F01', 'ABC', '00'].map(hex), ['0087654321', '7f01', '0abc', '00'])
  })

  it('finds nothing where there is nothing, and never reads past the end', () => {
    assert.equal(authorityKeyId(new Uint8Array(10)), undefined)
    const header = [0x06, 0x03, 0x55, 0x1d, 0x23]
    for (let length = 0; length < 6; length++)
      assert.equal(
        authorityKeyId(Uint8Array.from([...header, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14].slice(0, 5 + length))),
        undefined,
      )
  })
})

describe('adapters/acme-jws', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  it('signs what can be verified', () => {
    const jws = JSON.parse(signJws(privateKey, { url: 'https://ca.test/x', nonce: 'n' }, { a: 1 }))
    const head = JSON.parse(Buffer.from(jws.protected, 'base64url').toString())
    assert.deepEqual([head.alg, head.url, head.nonce, head.jwk.crv], ['ES256', 'https://ca.test/x', 'n', 'P-256'])
    const key = { key: createPublicKey(privateKey), dsaEncoding: 'ieee-p1363' as const }
    const signed = Buffer.from(`${jws.protected}.${jws.payload}`)
    assert.ok(verify('sha256', signed, key, Buffer.from(jws.signature, 'base64url')))
    const { jwk, kid } = JSON.parse(
      Buffer.from(JSON.parse(signJws(privateKey, { url: 'u', kid: 'k' }, '')).protected, 'base64url').toString(),
    )
    assert.deepEqual([jwk, kid], [undefined, 'k'])
  })

  it('sends an empty payload as such', () =>
    assert.equal(JSON.parse(signJws(privateKey, { url: 'u' }, '')).payload, ''))

  it('binds an external account', () => {
    const bound = bindExternally(privateKey, 'https://ca.test/new', { keyId: 'k1', hmacKey: 'c2VjcmV0' }) as Record<
      string,
      string
    >
    const head = JSON.parse(Buffer.from(bound.protected ?? '', 'base64url').toString())
    assert.deepEqual(head, { alg: 'HS256', kid: 'k1', url: 'https://ca.test/new' })
  })

  it('makes a thumbprint of the members in their order (RFC 7638)', () => {
    const { crv, kty, x, y } = privateKey.export({ format: 'jwk' })
    const text = `{"crv":"${crv}","kty":"${kty}","x":"${x}","y":"${y}"}`
    assert.equal(thumbprint(privateKey), createHash('sha256').update(text).digest('base64url'))
  })
})

describe('adapters/acme-challenges', () => {
  it('lets the CA choose a token, and no path', () => {
    assert.equal(challengePath('/run/c', 'abc_-1'), '/run/c/abc_-1')
    for (const token of ['../x', 'a/b', '', '.', 'a.b']) assert.throws(() => challengePath('/run/c', token), /token/)
  })

  it('names the DNS record of the parent for a wildcard', () => {
    assert.equal(dnsRecord('*.shop.test', 'x').name, '_acme-challenge.shop.test')
    assert.match(dnsRecord('shop.test', 'x').value, /^[\w-]{43}$/)
  })
})

describe('services/acme-order', () => {
  const chain = 'a chain'
  const order = (status: AcmeOrder['status']): AcmeOrder => ({
    url: 'order',
    status,
    authorizations: ['authorization'],
    finalize: 'finalize',
    certificate: status === 'valid' ? 'certificate' : undefined,
    problem: undefined,
    retryAfterMs: undefined,
  })

  const unexpected = () => assert.fail('not expected')
  const idle: ChallengeSolver = { type: 'http-01', present: unexpected, remove: unexpected }

  function setUp(change: Partial<AcmeClient> & Partial<AcmeStore> = {}, solver = idle) {
    const calls: string[] = []
    const client: AcmeClient = {
      newOrder: async (_domains, { replaces }) => {
        calls.push(`newOrder ${replaces}`)
        return order('ready')
      },
      order: async () => order('valid'),
      authorization: unexpected,
      keyAuthorization: unexpected,
      respond: unexpected,
      finalize: async () => {
        calls.push('finalize')
        return order('valid')
      },
      certificate: async () => chain,
      renewalInfo: unexpected,
      ...change,
    }
    const store = {
      pendingKey: () => undefined,
      savePendingKey: (_name: string, key: string | undefined) => void calls.push(`keep ${key}`),
      ...change,
    } as AcmeStore
    const keys = {
      createKey: async () => 'key',
      createRequest: async () => new Uint8Array(),
      certificateId: unexpected,
    }
    const obtain = (request: { replaces?: string; pendingOrder?: string } = {}) =>
      obtainCertificate(
        { client, store, keys, solver, clock: systemClock },
        {
          plan: { name: 'a.test', domains: ['a.test'] },
          settings: { keyType: 'ecdsa', profile: undefined },
          replaces: request.replaces,
          pendingOrder: request.pendingOrder,
          onOrder: url => void calls.push(`note ${url}`),
        },
      )
    return { calls, obtain }
  }

  it('keeps the key and the order before it asks for the certificate', async () => {
    const { calls, obtain } = setUp()
    assert.deepEqual(await obtain(), { chain, key: 'key' })
    assert.deepEqual(calls, ['newOrder undefined', 'keep key', 'note order', 'finalize'])
  })

  it('takes up an order of an earlier run with its key', async () => {
    const { calls, obtain } = setUp({ pendingKey: () => 'kept' })
    assert.deepEqual(await obtain({ pendingOrder: 'order' }), { chain, key: 'kept' })
    assert.deepEqual(calls, [])
  })

  it('begins anew when that order is invalid, or known no more', async () => {
    const gone = async () => Promise.reject(new AcmeError('no such order', { type: 'malformed' }))
    for (const ask of [gone, async () => order('invalid')]) {
      const { calls, obtain } = setUp({ pendingKey: () => 'kept', order: ask })
      assert.equal((await obtain({ pendingOrder: 'order' })).key, 'key')
      assert.equal(calls[0], 'newOrder undefined')
    }
  })

  it('does without naming what it replaces when the CA will not have that', async () => {
    const asked: (string | undefined)[] = []
    const { obtain } = setUp({
      newOrder: async (_domains, { replaces }) => {
        asked.push(replaces)
        if (replaces !== undefined) throw new AcmeError('replaced', { type: 'alreadyReplaced' })
        return order('ready')
      },
    })
    await obtain({ replaces: 'id' })
    assert.deepEqual(asked, ['id', undefined])
  })

  it('leaves a limit of the CA to who asked', async () => {
    const limited = new AcmeError('later', { type: 'rateLimited', retryAfterMs: 5 })
    const { obtain } = setUp({ newOrder: () => Promise.reject(limited) })
    await assert.rejects(obtain({ replaces: 'id' }), limited)
  })

  it('tells why a proof failed, and takes back what it put up', async () => {
    const shown: string[] = []
    let status: 'pending' | 'invalid' = 'pending'
    const challenge = { type: 'http-01', url: 'c', token: 't', problem: 'connection refused' }
    const { obtain } = setUp(
      {
        newOrder: async () => order('pending'),
        authorization: async () => ({ status, domain: 'a.test', challenges: [challenge], retryAfterMs: 0 }),
        keyAuthorization: async () => 'proof',
        respond: async () => {
          status = 'invalid'
        },
      },
      {
        type: 'http-01',
        present: async domain => void shown.push(`present ${domain}`),
        remove: async domain => void shown.push(`remove ${domain}`),
      },
    )
    await assert.rejects(obtain(), /the proof for a\.test is invalid: connection refused/)
    assert.deepEqual(shown, ['present a.test', 'remove a.test'])
  })
})

describe('adapters/acme-keys', () => {
  it('makes keys, and requests that openssl reads', async t => {
    const { execFileSync } = await import('node:child_process')
    const folder = mkdtempSync(join(tmpdir(), 'monohull-keys-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const keys = createKeyMaker(folder)
    for (const type of ['ecdsa', 'rsa'] as const) {
      const request = await keys.createRequest(await keys.createKey(type), ['a.test', '*.b.test'])
      const text = execFileSync('openssl', ['req', '-inform', 'der', '-noout', '-text', '-verify'], {
        input: request,
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      assert.match(text.toString(), /DNS:a\.test, DNS:\*\.b\.test/)
    }
  })

  it("names a certificate by its issuer's key and its serial number, as openssl tells them", async t => {
    const { execFileSync } = await import('node:child_process')
    const folder = mkdtempSync(join(tmpdir(), 'monohull-keys-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const chain = execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-keyout',
          join(folder, 'k'),
        ],
        ...[
          '-subj',
          '/CN=a',
          '-set_serial',
          '0x8765432112345678',
          '-addext',
          'authorityKeyIdentifier=keyid:always',
          '-addext',
          'subjectKeyIdentifier=hash',
        ],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString()
    const id = createKeyMaker(folder).certificateId(chain)
    const [keyId = '', serial = ''] = id?.split('.') ?? []
    assert.equal(Buffer.from(serial, 'base64url').toString('hex'), '008765432112345678')
    const extension = execFileSync('openssl', ['x509', '-noout', '-ext', 'authorityKeyIdentifier'], {
      input: chain,
    }).toString()
    const expected = /([0-9A-F]{2}(:[0-9A-F]{2}){19})/.exec(extension)?.[1]?.replaceAll(':', '').toLowerCase()
    assert.equal(Buffer.from(keyId, 'base64url').toString('hex'), expected)
    assert.ok(new X509Certificate(chain).ca !== undefined)
  })
})
