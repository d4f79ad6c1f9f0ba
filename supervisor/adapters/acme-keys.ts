import { createHash, generateKeyPair, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KeyMaker } from '../domain/acme-ports.ts'
import { authorityKeyId, serialContent } from '../domain/der.ts'
import { base64url } from './acme-jws.ts'

const generate = promisify(generateKeyPair)

/** Keys by Node, requests for certificates by openssl. `folder`: where the key may stand for a moment. */
export function createKeyMaker(folder: string): KeyMaker {
  return {
    async createKey(type) {
      const { privateKey } =
        type === 'rsa' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' })
      return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    },
    async createRequest(keyPem, domains) {
      const { execa } = await import('execa')
      const place = mkdtempSync(join(folder, '.request-'))
      try {
        writeFileSync(join(place, 'key.pem'), keyPem, { mode: 0o600 })
        const names = domains.map(domain => `DNS:${domain}`).join(',')
        const words = ['req', '-new', '-sha256', '-key', 'key.pem', '-subj', '/', '-addext', `subjectAltName=${names}`]
        // into a file: execa takes a last byte that is a line feed for the end of a line
        await execa('openssl', [...words, '-outform', 'DER', '-out', 'request'], { cwd: place, stdin: 'ignore' })
        return readFileSync(join(place, 'request'))
      } finally {
        rmSync(place, { recursive: true })
      }
    },
    certificateId(chainPem) {
      const { raw, serialNumber } = new X509Certificate(chainPem)
      const keyId = authorityKeyId(raw)
      return keyId && `${base64url(keyId)}.${base64url(serialContent(serialNumber))}`
    },
  }
}

/** The name of a DNS record and its value, for a key authorization (RFC 8555, 8.4). */
export function dnsRecord(domain: string, keyAuthorization: string): { name: string; value: string } {
  return {
    name: `_acme-challenge.${domain.replace(/^\*\./, '')}`,
    value: createHash('sha256').update(keyAuthorization).digest('base64url'),
  }
}
