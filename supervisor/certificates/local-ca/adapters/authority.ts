import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import type { CertificateFiles } from '../../certificate.ts'
import { type CertificateDraft, draftCertificate, type Scope, signedCertificate } from '../../x509.ts'
import { permittedScope } from '../name-constraints.ts'
import { localAuthorityLifetimeMs, localAuthorityStart, localBackdateMs, localLifetimeMs } from '../profile.ts'

/** Names that the CA of a certificate file may sign for. */
export function readAuthorityScope(chain: string): Scope {
  return permittedScope(new X509Certificate(readFileSync(chain)).raw)
}

/** Creates a CA with a unique name, and writes certificate and key, readable only by their owner. */
export function createAuthority(
  files: CertificateFiles,
  { host, scope, now }: { host: string; scope: Scope; now: number },
): void {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = `Monohull local CA ${[host, randomBytes(4).toString('hex')].filter(word => word !== '').join(' ')}`
  const ownId = keyIdOf(key.publicKey)
  const chain = issue(key.publicKey, key.privateKey, {
    ...{ issuer: name, subject: name, keyId: ownId, issuerKeyId: ownId },
    ...{ notBefore: Math.min(now - localBackdateMs, localAuthorityStart), notAfter: now + localAuthorityLifetimeMs },
    use: { kind: 'authority', scope },
  })
  writePair(files, chain, key.privateKey)
}

/** Creates a key and a certificate that the CA signs, and writes both, readable only by their owner. */
export function createLocalCertificate(
  files: CertificateFiles,
  authority: CertificateFiles,
  { names, now }: { names: Scope; now: number },
): void {
  const signer = createPrivateKey(readFileSync(authority.key))
  const { subject } = new X509Certificate(readFileSync(authority.chain))
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const chain = issue(key.publicKey, signer, {
    ...{ issuer: subject.replace(/^CN=/, ''), subject: 'Monohull local certificate' },
    ...{ keyId: keyIdOf(key.publicKey), issuerKeyId: keyIdOf(createPublicKey(signer)) },
    ...{ notBefore: now - localBackdateMs, notAfter: now - localBackdateMs + localLifetimeMs },
    use: { kind: 'server', names },
  })
  writePair(files, chain, key.privateKey)
}

function issue(publicKey: KeyObject, signer: KeyObject, draft: Omit<CertificateDraft, 'serial' | 'publicKey'>): string {
  const unsigned = draftCertificate({ ...draft, serial: randomBytes(16), publicKey: derOf(publicKey) })
  return new X509Certificate(signedCertificate(unsigned, sign('sha256', unsigned, signer))).toString()
}

/** Key identifier (RFC 7093): the first 160 bits of the SHA-256 of the SubjectPublicKeyInfo. */
function keyIdOf(publicKey: KeyObject): Uint8Array {
  return createHash('sha256').update(derOf(publicKey)).digest().subarray(0, 20)
}

function derOf(publicKey: KeyObject): Uint8Array {
  return publicKey.export({ type: 'spki', format: 'der' })
}

function writePair(files: CertificateFiles, chain: string, key: KeyObject): void {
  writePrivately(files.key, key.export({ type: 'pkcs8', format: 'pem' }).toString())
  writePrivately(files.chain, chain)
}
