import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { bindExternally, signJws, thumbprint } from '../../../supervisor/certificates/acme/adapters/jws.ts'

describe('certificates/acme: JWS', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  it('creates signatures that verify', () => {
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

  it('signs an empty payload as POST-as-GET', () =>
    assert.equal(JSON.parse(signJws(privateKey, { url: 'u' }, '')).payload, ''))

  it('binds an external account', () => {
    const bound = bindExternally(privateKey, 'https://ca.test/new', { keyId: 'k1', hmacKey: 'c2VjcmV0' }) as Record<
      string,
      string
    >
    const head = JSON.parse(Buffer.from(bound.protected ?? '', 'base64url').toString())
    assert.deepEqual(head, { alg: 'HS256', kid: 'k1', url: 'https://ca.test/new' })
  })

  it('computes the thumbprint of the ordered members (RFC 7638)', () => {
    const { crv, kty, x, y } = privateKey.export({ format: 'jwk' })
    const text = `{"crv":"${crv}","kty":"${kty}","x":"${x}","y":"${y}"}`
    assert.equal(thumbprint(privateKey), createHash('sha256').update(text).digest('base64url'))
  })
})
