import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { challengePath } from '../../supervisor/adapters/acme-challenges.ts'
import { createKeyMaker, dnsRecord } from '../../supervisor/adapters/acme-keys.ts'

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
