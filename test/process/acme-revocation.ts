import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { requestAcme } from '../../supervisor/certificates/acme/adapters/http.ts'
import { base64url, signJws } from '../../supervisor/certificates/acme/adapters/jws.ts'

export interface PebblePorts {
  api: number
  management: number
  /** PEM, of what Pebble itself shows. */
  ca: string
}

const day = 86_400_000

/** What is suggested for a certificate that is revoked. */
export const past = { start: new Date(Date.now() - 2 * day), end: new Date(Date.now() - day) }

/** The serial, in hex, of the certificate that renewal information is asked for (RFC 9773, 4.1). */
export function serialIn(url: string): string {
  return Buffer.from(/\.([\w-]+)$/.exec(url)?.[1] ?? '', 'base64url').toString('hex')
}

/** Has Pebble revoke certificates, and tell whether it has. */
export function createRevocation({ api, management, ca }: PebblePorts) {
  const base = `https://localhost:${api}`
  const { signal } = new AbortController()
  return {
    async revoke(folder: string): Promise<void> {
      const key = createPrivateKey(readFileSync(join(folder, 'privkey.pem')))
      const { raw } = new X509Certificate(readFileSync(join(folder, 'fullchain.pem')))
      const { headers } = await requestAcme({ method: 'HEAD', url: `${base}/nonce-plz`, ca, signal })
      const header = { url: `${base}/revoke-cert`, nonce: String(headers['replay-nonce']) }
      const body = signJws(key, header, { certificate: base64url(raw), reason: 1 })
      const { status, text } = await requestAcme({ method: 'POST', url: header.url, body, ca, signal })
      if (status !== 200) throw new Error(`Pebble does not revoke: ${status} ${text}`)
    },
    async isRevoked(serial: string): Promise<boolean> {
      const url = `https://localhost:${management}/cert-status-by-serial/${serial}`
      const { text } = await requestAcme({ method: 'GET', url, ca, signal })
      return text.includes('"Revoked"')
    },
  }
}
