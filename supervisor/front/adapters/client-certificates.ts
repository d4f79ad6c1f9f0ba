import { resolve } from 'node:path'
import type { z } from 'zod'
import { describeUnread, readRegularFile } from '../../base/adapters/regular-file.ts'
import { readPem } from '../../base/pem.ts'
import type { Complain } from '../../config/report.ts'
import type { clientCertificates } from '../client-certificate-keys.ts'
import type { ClientCertificates } from '../client-certificates.ts'

/** Keys of client certificates. */
export interface ClientCertificateKeys {
  tls: { client_certificates?: z.output<typeof clientCertificates> }
}

const labels = { ca: 'CERTIFICATE', crl: 'X509 CRL' }
/** Command that converts DER to PEM. */
const converters = { ca: 'openssl x509 -inform der', crl: 'openssl crl -inform der' }

/** CAs of client certificates and their revocation lists. nginx gets only the PEM blocks that are read here. */
export function readClientCertificates(
  { tls }: ClientCertificateKeys,
  sources: { directory: string; complain: Complain },
): ClientCertificates | undefined {
  const { ca, mode = 'off', crl } = tls.client_certificates ?? {}
  if (mode === 'off' || ca === undefined) return undefined
  return {
    mode,
    authorities: readBlocks('ca', ca, sources),
    revoked: crl === undefined ? undefined : readBlocks('crl', crl, sources),
  }
}

function readBlocks(
  kind: keyof typeof labels,
  name: string,
  { directory, complain }: { directory: string; complain: Complain },
): string {
  const key = `tls.client_certificates.${kind}`
  const label = labels[kind]
  try {
    const pem = readPem(readRegularFile(resolve(directory, name)))
    const texts = pem.ok ? pem.blocks.filter(block => block.label === label).map(({ text }) => text) : []
    if (texts.length > 0) return texts.join('')
    if (pem.ok) complain(key, name, `contains no ${label}`, `name a PEM file with -----BEGIN ${label}-----`)
    else complain(key, name, pem.problem, /DER/.test(pem.problem) ? `convert it: ${converters[kind]}` : pem.fix)
  } catch (error) {
    complain(key, name, describeUnread(error), 'name a readable PEM file')
  }
  return ''
}
