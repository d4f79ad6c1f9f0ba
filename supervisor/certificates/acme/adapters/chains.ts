import { X509Certificate } from 'node:crypto'

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Whether a chain ends at a CA with this common name, or at a certificate that this CA issued. Only the end counts: one chain can
 * contain every name of a shorter one.
 */
export function chainEndsAt(chainPem: string, name: string): boolean {
  const last = chainPem.match(certificate)?.at(-1)
  if (last === undefined) return false
  const { issuer } = new X509Certificate(last)
  return issuer.split('\n').includes(`CN=${name}`)
}

/** URLs of the alternate chains in a Link header (RFC 8555, 7.4.2). Node joins several headers with commas. */
export function alternatesIn(link: string | string[] | undefined): string[] {
  const text = [link ?? []].flat().join(', ')
  return [...text.matchAll(/<([^>]*)>([^<]*)/g)].flatMap(([, url = '', parameters = '']) =>
    /;\s*rel="?alternate"?\s*(,|;|$)/i.test(parameters) ? [url] : [],
  )
}
