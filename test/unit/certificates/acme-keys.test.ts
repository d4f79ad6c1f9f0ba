// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { elementsIn, topLevelElements } from '../../../supervisor/base/der.ts'
import { challengePath } from '../../../supervisor/certificates/acme/adapters/challenge-files.ts'
import { dnsRecord, keyMaker } from '../../../supervisor/certificates/acme/adapters/key-maker.ts'

/** The first element of a request, which the signature is for. */
function signedPart(request: Uint8Array): Uint8Array {
  const [outer = assert.fail('no element')] = topLevelElements(request)
  const [first = assert.fail('no element inside')] = elementsIn(request, outer)
  return request.subarray(outer.start, first.end)
}

describe('certificates/acme: challenges', () => {
  it('lets the CA choose a token, but not a path', () => {
    assert.equal(challengePath('/run/c', 'abc_-1'), '/run/c/abc_-1')
    for (const token of ['../x', 'a/b', '', '.', 'a.b']) assert.throws(() => challengePath('/run/c', token), /token/)
  })

  it('names the DNS record of the parent for a wildcard', () => {
    assert.equal(dnsRecord('*.shop.test', 'x').name, '_acme-challenge.shop.test')
    assert.match(dnsRecord('shop.test', 'x').value, /^[\w-]{43}$/)
  })
})

describe('certificates/acme: keys', () => {
  const domains = ['a.test', '*.b.test', `${'x'.repeat(63)}.a_b.test`]

  for (const type of ['ecdsa', 'rsa'] as const) {
    it(`creates ${type} keys, and requests whose signature openssl verifies`, async () => {
      const request = keyMaker.createRequest(await keyMaker.createKey(type), domains)
      const words = ['req', '-inform', 'der', '-noout', '-text', '-verify']
      const { status, stdout, stderr } = spawnSync('openssl', words, { input: request, encoding: 'utf8' })
      assert.equal(status, 0)
      assert.match(stderr, /verify OK/)
      assert.match(stdout, /Subject: *\n/)
      assert.match(stdout, type === 'rsa' ? /sha256WithRSAEncryption/ : /ecdsa-with-SHA256/)
      assert.ok(stdout.includes(domains.map(domain => `DNS:${domain}`).join(', ')), stdout)
    })

    it(`creates the same request with ${type} keys as openssl, byte by byte`, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'monohull-keys-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const key = await keyMaker.createKey(type)
      writeFileSync(join(folder, 'key.pem'), key)
      for (const names of [['a.test'], domains, Array.from({ length: 100 }, (_, index) => `name-${index}.a.test`)]) {
        const extension = `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}`
        const words = [
          'req',
          '-new',
          '-sha256',
          '-key',
          'key.pem',
          '-subj',
          '/',
          '-addext',
          extension,
          '-outform',
          'DER',
        ]
        const expected = execFileSync('openssl', words, { cwd: folder })
        const request = Buffer.from(keyMaker.createRequest(key, names))
        // an ECDSA signature is another one each time
        if (type === 'rsa') assert.deepEqual(request, expected)
        else assert.deepEqual(signedPart(request), signedPart(expected))
      }
    })
  }

  it('rejects a damaged key', () => {
    assert.throws(() =>
      keyMaker.createRequest('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', ['a.test']),
    )
  })

  it("identifies a certificate by its issuer's key and its serial number, as openssl shows them", t => {
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
    const id = keyMaker.certificateId(chain)
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
