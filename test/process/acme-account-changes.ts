import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { requestAcme } from '../../supervisor/certificates/acme/adapters/http.ts'
import { base64url, signJws } from '../../supervisor/certificates/acme/adapters/jws.ts'
import type { Authority } from './acme-authority.ts'

/** What another program that has the key of an account does to it. `keyPath`: its file, beside that of the account. */
export async function changeAccount(
  { env }: Authority,
  keyPath: string,
  how: 'deactivate' | 'rollover',
): Promise<void> {
  const key = createPrivateKey(readFileSync(keyPath))
  const { url: kid } = JSON.parse(readFileSync(join(dirname(keyPath), 'account.json'), 'utf8')) as { url: string }
  const base = new URL(env.MONOHULL_TLS_ACME_DIRECTORY ?? '').origin
  const ca = readFileSync(env.MONOHULL_TLS_ACME_CA_FILE ?? '', 'utf8')
  const { signal } = new AbortController()
  const { headers } = await requestAcme({ method: 'HEAD', url: `${base}/nonce-plz`, ca, signal })
  const nonce = String(headers['replay-nonce'])
  const url = how === 'deactivate' ? kid : `${base}/rollover-account-key`
  const payload = how === 'deactivate' ? { status: 'deactivated' } : nextKey(key, { account: kid, url })
  const { status, text } = await requestAcme({
    ...{ method: 'POST', url, ca, signal },
    body: signJws(key, { kid, nonce, url }, payload),
  })
  if (status !== 200) throw new Error(`Pebble does not ${how}: ${status} ${text}`)
}

/** The signature of a new key (RFC 8555, 7.3.5). */
function nextKey(oldKey: KeyObject, { account, url }: { account: string; url: string }): unknown {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwkOf = (key: KeyObject) => {
    const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' })
    return { crv, kty, x, y }
  }
  const head = base64url(JSON.stringify({ alg: 'ES256', jwk: jwkOf(privateKey), url }))
  const body = base64url(JSON.stringify({ account, oldKey: jwkOf(oldKey) }))
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return { protected: head, payload: body, signature: base64url(signature) }
}
