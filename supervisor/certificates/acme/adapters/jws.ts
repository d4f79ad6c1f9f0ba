import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Header of a JSON Web Signature for ACME (RFC 8555, 6.2; RFC 7515). */
export interface JwsHeader {
  url: string
  nonce?: string
  kid?: string
}

/** Data in base64url, without padding (RFC 7515, 2). */
export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data).toString('base64url')
}

interface Jwk {
  crv: string
  kty: string
  x: string
  y: string
}

/** Public key, with its members in the order that a thumbprint requires. */
function publicJwk(key: KeyObject): Jwk {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { crv, kty, x, y }
}

/** SHA-256 thumbprint of the public key (RFC 7638). */
export function thumbprint(key: KeyObject): string {
  return createHash('sha256')
    .update(JSON.stringify(publicJwk(key)))
    .digest('base64url')
}

/** Signs a payload with an EC P-256 key. The payload `''` makes a POST-as-GET request (RFC 8555, 6.3). */
export function signJws(key: KeyObject, header: JwsHeader, payload: unknown): string {
  const { kid, ...rest } = header
  const identity = kid === undefined ? { jwk: publicJwk(key) } : { kid }
  const head = base64url(JSON.stringify({ alg: 'ES256', ...identity, ...rest }))
  const body = payload === '' ? '' : base64url(JSON.stringify(payload))
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' })
  return JSON.stringify({ protected: head, payload: body, signature: base64url(signature) })
}

/** External account binding for the account key (RFC 8555, 7.3.4). `hmacKey`: base64url. */
export function bindExternally(key: KeyObject, url: string, account: { keyId: string; hmacKey: string }): unknown {
  const head = base64url(JSON.stringify({ alg: 'HS256', kid: account.keyId, url }))
  const body = base64url(JSON.stringify(publicJwk(key)))
  const mac = createHmac('sha256', Buffer.from(account.hmacKey, 'base64url')).update(`${head}.${body}`)
  return { protected: head, payload: body, signature: mac.digest('base64url') }
}
