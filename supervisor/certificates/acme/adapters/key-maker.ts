import { createHash, createPrivateKey, createPublicKey, generateKeyPair, sign, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { addressBytes, canonicalAddress } from '../../../base/address.ts'
import { authorityKeyId, serialContent } from '../../../base/der.ts'
import type { KeyMaker } from '../authority.ts'
import { draftRequest, signedRequest } from '../request.ts'
import { base64url } from './jws.ts'

const generate = promisify(generateKeyPair)

/** Creates keys and certificate requests in memory only. */
export const keyMaker: KeyMaker = {
  async createKey(type) {
    const { privateKey } =
      type === 'rsa' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' })
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  },
  createRequest(keyPem, domains) {
    const key = createPrivateKey(keyPem)
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
    const isAddress = (name: string) => canonicalAddress(name) !== undefined
    const names = {
      hosts: domains.filter(name => !isAddress(name)),
      addresses: domains.filter(isAddress).map(addressBytes),
    }
    const draft = draftRequest({ publicKey, names })
    const keyType = key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa'
    return signedRequest(draft, keyType, sign('sha256', draft, key))
  },
  certificateId(chainPem) {
    const { raw, serialNumber } = new X509Certificate(chainPem)
    const keyId = authorityKeyId(raw)
    return keyId && `${base64url(keyId)}.${base64url(serialContent(serialNumber))}`
  },
}

/** Name and value of the TXT record for a key authorization (RFC 8555, 8.4). */
export function dnsRecord(domain: string, keyAuthorization: string): { name: string; value: string } {
  return {
    name: `_acme-challenge.${domain.replace(/^\*\./, '')}`,
    value: createHash('sha256').update(keyAuthorization).digest('base64url'),
  }
}
