import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { draftCertificate, signedCertificate } from '../../supervisor/certificates/x509.ts'
import type { Reply, Tamper } from './acme-authority.ts'

/** What a CA does to one request about a name, in place of answering it as it should. */
export type CaFault =
  | {
      kind: 'none' | 'cut' | 'lost' | 'cutBody' | 'notJson' | 'empty' | 'badNonce' | 'noNonce' | 'wrongNonce' | 'stuck'
    }
  | { kind: 'slow'; ms: number }
  | { kind: 'refuses'; status: number; type: string | undefined; retryAfter: string | undefined }
  | { kind: 'asks'; retryAfter: string }
  | { kind: 'forges'; what: 'name' | 'key' | 'expired' | 'future' | 'leaf' | 'garbage' }

const day = 86_400_000

/** A certificate of nobody's CA, for a key and a name. */
function forge(keyPem: string, name: string, from: number, to: number): string {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = (der: Buffer) => createHash('sha256').update(der).digest().subarray(0, 20)
  const publicKey = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' })
  const draft = draftCertificate({
    ...{ serial: randomBytes(16), issuer: 'Forger', subject: name, publicKey, keyId: id(publicKey) },
    ...{ issuerKeyId: id(ca.publicKey.export({ type: 'spki', format: 'der' })), notBefore: from, notAfter: to },
    use: { kind: 'server', names: { hosts: [name], addresses: [] } },
  })
  return new X509Certificate(signedCertificate(draft, sign('sha256', draft, ca.privateKey))).toString()
}

/** Deps of a CA that misbehaves. */
export interface FaultyDeps {
  /** The next fault of a name, at a request of this kind. */
  next(name: string, step: string): CaFault
  /** Key of the order in progress for a name. */
  keyOf(name: string): string | undefined
  /** Waits, by the clock of the test. */
  wait(ms: number): Promise<void>
}

/** A CA in front of Pebble: each request about a name meets the next fault of that name. */
export function createFaultyCa({ next, keyOf, wait }: FaultyDeps): Tamper {
  const owners = new Map<string, string>()
  const payloadOf = (body: string) => Buffer.from(JSON.parse(body || '{}').payload ?? '', 'base64url').toString()

  /** Remembers whose the URLs in a response are. */
  function learn(name: string, { headers, text }: Reply): void {
    const urls = text.match(/https:\/\/localhost:\d+\/[\w/-]+/g) ?? []
    for (const url of [...urls, headers.location ?? '']) if (url) owners.set(new URL(url).pathname, name)
  }

  return async (path, body, pass) => {
    const step = path.split('/')[1] ?? ''
    const name = step === 'order-plz' ? JSON.parse(payloadOf(body)).identifiers[0].value : owners.get(path)
    if (name === undefined) return pass()
    const fault = next(name, step)
    const problem = (status: number, type: string | undefined, headers: Record<string, string>): Reply => ({
      ...{ status, headers: { date: new Date().toUTCString(), ...headers } },
      text: type ? JSON.stringify({ type: `urn:ietf:params:acme:error:${type}` }) : '<html><title>Down</title></html>',
    })
    switch (fault.kind) {
      case 'cut':
        return undefined
      case 'slow':
        await wait(fault.ms)
        break
      case 'badNonce':
        return problem(400, 'badNonce', { 'replay-nonce': 'bm9wZQ' })
      case 'refuses':
        return problem(fault.status, fault.type, fault.retryAfter ? { 'retry-after': fault.retryAfter } : {})
    }
    const reply = await pass()
    learn(name, reply)
    const { headers, text } = reply
    const { 'replay-nonce': _, ...withoutNonce } = headers
    switch (fault.kind) {
      case 'lost':
        return undefined
      case 'cutBody':
        return { ...reply, cutAt: Math.floor(text.length / 2) }
      case 'notJson':
        return { ...reply, text: text.slice(0, -2) }
      case 'empty':
        return { ...reply, text: '{}' }
      case 'noNonce':
        return { ...reply, headers: withoutNonce }
      case 'wrongNonce':
        return { ...reply, headers: { ...headers, 'replay-nonce': 'bm9wZQ' } }
      case 'asks':
        return { ...reply, headers: { ...headers, 'retry-after': fault.retryAfter } }
      case 'stuck': {
        if (reply.status >= 400 || !text.startsWith('{')) return reply
        const { status, certificate: _, ...rest } = JSON.parse(text)
        const earlier = 'finalize' in rest && status === 'valid' ? 'processing' : 'pending'
        return { ...reply, text: JSON.stringify({ ...rest, status: earlier }) }
      }
      case 'forges': {
        const key = keyOf(name)
        if (step !== 'certZ' || !key || reply.status >= 400) return reply
        const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
        const otherPem = other.export({ type: 'pkcs8', format: 'pem' }).toString()
        const now = Date.now()
        const forged = {
          name: () => forge(key, 'other.test', now, now + 90 * day),
          key: () => forge(otherPem, name, now, now + 90 * day),
          expired: () => forge(key, name, now - 90 * day, now - day),
          future: () => forge(key, name, now + 30 * day, now + 90 * day),
          leaf: () => `${text.split('-----END CERTIFICATE-----')[0]}-----END CERTIFICATE-----\n`,
          garbage: () => '-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n',
        }[fault.what]()
        return { ...reply, text: forged }
      }
    }
    return reply
  }
}
