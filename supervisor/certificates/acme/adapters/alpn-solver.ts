import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { createHandshakeFiles } from '../../on-demand/adapters/handshake-files.ts'
import { draftCertificate, signedCertificate } from '../../x509.ts'
import type { ChallengeSolver } from '../authority.ts'

const name = 'Monohull ACME challenge'
const lifetimeMs = 7 * 86_400_000

/** Solver of TLS-ALPN-01 (RFC 8737): nginx serves the certificates in the directory to clients that offer only `acme-tls/1`. Creates it. */
export function createAlpnSolver(directory: string, gid: number | undefined, now: () => number): ChallengeSolver {
  const files = createHandshakeFiles(directory, gid)
  return {
    type: 'tls-alpn-01',
    present: async (domain, _token, keyAuthorization) =>
      files.write(domain.toLowerCase(), challengeCertificate(domain, keyAuthorization, now())),
    remove: async domain => files.remove(domain.toLowerCase()),
  }
}

/** Certificate for a domain that proves control of it, with its key, as PEM. */
export function challengeCertificate(
  domain: string,
  keyAuthorization: string,
  now: number,
): { chain: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha256').update(der).digest().subarray(0, 20)
  const draft = draftCertificate({
    ...{ serial: randomBytes(16), issuer: name, subject: name, publicKey: der, keyId, issuerKeyId: keyId },
    ...{ notBefore: now - lifetimeMs, notAfter: now + lifetimeMs },
    use: {
      kind: 'server',
      names: { hosts: [domain], addresses: [] },
      acmeIdentifier: createHash('sha256').update(keyAuthorization).digest(),
    },
  })
  const signed = signedCertificate(draft, sign('sha256', draft, privateKey))
  return {
    chain: new X509Certificate(signed).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
