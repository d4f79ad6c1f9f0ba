import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalAddress } from '../../base/address.ts'
import { elementsIn, readExtension } from '../../base/der.ts'
import { errnoOf, messageOf, OperatorError } from '../../base/errors.ts'
import { certificatesOf, isDer, keysOf, readPem, swappedFix, wholeFix } from '../../base/pem.ts'
import type { CertificateFacts, CertificateFiles, CertificateReading } from '../certificate.ts'
import { type ChainLink, orderChain } from '../chain.ts'
import { isArchive } from '../directory.ts'
import { readArchive } from './archive.ts'
import { findChainWeakness, findKeyWeakness, keyTypeOf, oneLine } from './strength.ts'

/** Far above the size of any certificate file, in bytes. */
const maxFileBytes = 1_000_000
/** Object id 1.3.6.1.5.5.7.1.24, with tag and length. */
const tlsFeature = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18]
const statusRequest = 5

type Bad = { ok: false; problem: string; fix: string }

/**
 * Names of the files in a certificate directory and of its subdirectories; empty if the directory does not exist. Skips names that
 * begin with a dot, which Kubernetes uses internally, and `lost+found`. Throws an OperatorError if the directory cannot be read.
 */
export function listCertificateDirectory(directory: string): { files: string[]; directories: string[] } {
  try {
    const names = readdirSync(directory).filter(name => !name.startsWith('.') && name !== 'lost+found')
    const directories = names.filter(name => isDirectory(join(directory, name)))
    return { files: names.filter(name => !directories.includes(name)), directories: directories.sort() }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { files: [], directories: [] }
    throw new OperatorError(`cannot read the certificate directory ${directory}: ${messageOf(error)}`, {
      fix: `let user ${process.getuid?.()} read the directory, or set cert_dir to another`,
    })
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // a dangling link: reading it reports the error
  }
}

/** Reads a pair and puts its chain in order. A problem names the file that has it. */
export function readCertificate(directory: string, names: CertificateFiles): CertificateReading {
  const files = { chain: join(directory, names.chain), key: join(directory, names.key) }
  const keyPath = files.chain === files.key ? files.key : `the key ${files.key}`
  const refuse = (path: string, { problem, fix }: Bad): CertificateReading => ({
    ok: false,
    files,
    problem: `${path} ${problem}`,
    fix: fix === swappedFix && files.chain === files.key ? wholeFix : fix,
  })
  const chain = parseCertificates(files.chain)
  if (!chain.ok) return refuse(files.chain, chain)
  const keys = parseKeys(files.key)
  if (!keys.ok) return refuse(keyPath, keys)
  // the leaf is the certificate that matches the key, wherever it is in the file
  const found = chain.links.flatMap(leaf =>
    keys.keys.filter(key => leaf.x509.checkPrivateKey(key)).map(key => ({ leaf, key })),
  )
  const [first, key] = [chain.links[0], keys.keys[0]]
  const match = found[0] ?? (first && key && { leaf: first, key })
  if (!match) throw new Error('cannot check a pair without a certificate and a key')
  const weakKey = findKeyWeakness(match.key)
  if (weakKey) return refuse(keyPath, weakKey)

  const ordered = completed(
    directory,
    orderChain(
      match.leaf,
      chain.links.filter(link => link !== match.leaf),
    ),
  )
  const weakness = findChainWeakness(ordered.chain.map(({ x509 }) => x509))
  if (weakness) return refuse(files.chain, weakness)
  const pem = {
    chain: ordered.chain.map(({ x509 }) => x509.toString()).join(''),
    key: match.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  return {
    ok: true,
    files,
    pem,
    certificate: {
      ...factsOf(match.leaf.x509, match.key),
      id: createHash('sha256').update(pem.chain).update(pem.key).digest('hex').slice(0, 16),
      keyMatches: found.length > 0,
      remarks: remarksOn(files.chain, ordered),
    },
  }
}

/** Files with the intermediate certificates beside the certificate: ZeroSSL, Synology and certbot, acme.sh. */
const bundles = ['ca_bundle.crt', 'ca-bundle.crt', 'chain.pem', 'ca.cer']

/** A chain of the certificate alone, with the intermediates of a file beside it if they are its issuers. */
function completed(directory: string, ordered: { chain: ReadLink[]; unrelated: ReadLink[] }): typeof ordered {
  const [leaf] = ordered.chain
  if (!leaf || ordered.chain.length > 1 || leaf.isIssuedBy(leaf)) return ordered
  for (const bundle of bundles) {
    const found = existsSync(join(directory, bundle)) ? parseCertificates(join(directory, bundle)) : undefined
    if (!found?.ok) continue
    const { chain } = orderChain(leaf, found.links)
    if (chain.length > 1) return { chain, unrelated: ordered.unrelated }
  }
  return ordered
}

interface ReadLink extends ChainLink {
  x509: X509Certificate
  isIssuedBy(other: ReadLink): boolean
}

function parseCertificates(path: string): { ok: true; links: ReadLink[] } | Bad {
  const read = readBytes(path)
  if (!read.ok) return read
  const pem = readPem(read.bytes)
  const der = isDer(read.bytes) ? tryParse(() => new X509Certificate(read.bytes)) : undefined
  const found = der ? { ok: true as const, texts: [der.toString()] } : pem.ok ? certificatesOf(pem.blocks) : pem
  if (!found.ok) return found
  const links: ReadLink[] = []
  for (const [index, text] of found.texts.entries()) {
    try {
      const x509 = new X509Certificate(text)
      links.push({ x509, subject: x509.subject, isIssuedBy: other => isIssuedBy(x509, other.x509) })
    } catch {
      const problem = `is damaged: certificate ${index + 1} of ${found.texts.length} cannot be parsed`
      return { ok: false, problem, fix: 'write it again' }
    }
  }
  return { ok: true, links }
}

/** Checks name and signature, because a CA can have the same name with a new key. */
function isIssuedBy(x509: X509Certificate, issuer: X509Certificate): boolean {
  return x509.checkIssued(issuer) && x509.verify(issuer.publicKey)
}

function parseKeys(path: string): { ok: true; keys: KeyObject[] } | Bad {
  const read = readBytes(path)
  if (!read.ok) return read
  const der = isDer(read.bytes) ? parseDerKey(read.bytes) : undefined
  if (der) return { ok: true, keys: [der] }
  const pem = readPem(read.bytes)
  const found = pem.ok ? keysOf(pem.blocks) : pem
  if (!found.ok) return found
  try {
    return { ok: true, keys: found.texts.map(text => createPrivateKey(text)) }
  } catch {
    return { ok: false, problem: 'is damaged: it cannot be parsed', fix: 'write it again' }
  }
}

function factsOf(x509: X509Certificate, key: KeyObject): Omit<CertificateFacts, 'id' | 'keyMatches' | 'remarks'> {
  return {
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    names: [...(x509.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(
      ([, name = '']) => canonicalAddress(name) ?? name,
    ),
    serial: x509.serialNumber,
    fingerprint: x509.fingerprint256,
    keyType: keyTypeOf(key) ?? 'rsa',
    notBefore: Date.parse(x509.validFrom),
    notAfter: Date.parse(x509.validTo),
  }
}

function remarksOn(path: string, { chain, unrelated }: { chain: ReadLink[]; unrelated: ReadLink[] }): string[] {
  const [leaf] = chain
  const remarks: string[] = []
  if (unrelated.length > 0) {
    const names = unrelated.map(({ subject }) => oneLine(subject)).join('; ')
    remarks.push(`${path} contains certificates outside the chain, which are not served: ${names}`)
  }
  if (leaf && chain.length === 1 && /CA Issuers/.test(leaf.x509.infoAccess ?? ''))
    remarks.push(`${path} lacks the intermediate certificate, so some clients will not trust it: mount the full chain`)
  for (const { x509 } of chain.slice(1)) {
    if (Date.parse(x509.validTo) <= Date.now())
      remarks.push(
        `${path} contains a CA certificate that expired on ${new Date(x509.validTo).toISOString()}, so clients reject the chain: ${oneLine(x509.subject)}; mount the current full chain`,
      )
  }
  if (leaf?.x509.publicKey.asymmetricKeyType?.startsWith('ed'))
    remarks.push(`${path} has a key of type Ed25519 or Ed448, which browsers do not support: use EC P-256 or RSA`)
  if (leaf && mustStaple(leaf.x509))
    remarks.push(
      `${path} requires OCSP stapling (must-staple), which is not sent, so Firefox and others reject it: have it reissued without`,
    )
  if (leaf && !leaf.x509.subjectAltName) remarks.push(`${path} has no host name (subjectAltName): browsers reject it`)
  return remarks
}

/** Whether clients must reject it without a stapled OCSP response: the TLS feature extension (RFC 7633) with status_request. */
function mustStaple({ raw }: X509Certificate): boolean {
  const features = readExtension(raw, tlsFeature)
  return (
    features !== undefined &&
    elementsIn(raw, features).some(({ start, end }) => end - start === 1 && raw[start] === statusRequest)
  )
}

function parseDerKey(bytes: Buffer): KeyObject | undefined {
  return (['pkcs8', 'sec1', 'pkcs1'] as const)
    .map(type => tryParse(() => createPrivateKey({ key: bytes, format: 'der', type })))
    .find(key => key !== undefined)
}

function tryParse<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}

function readBytes(path: string): { ok: true; bytes: Buffer } | Bad {
  try {
    // reading something else, such as a pipe, could block forever
    const entry = statSync(path)
    if (!entry.isFile()) return { ok: false, problem: 'is not a file', fix: 'replace it with a file' }
    if (entry.size > maxFileBytes)
      return { ok: false, problem: 'is too large for PEM', fix: 'replace it with a PEM file' }
    const bytes = readFileSync(path)
    return isArchive(path) ? readArchive(path) : { ok: true, bytes }
  } catch (error) {
    const uid = process.getuid?.()
    if (errnoOf(error) === 'EACCES') {
      return {
        ok: false,
        problem: `is not readable by user ${uid}${describeOwner(path)}`,
        fix: `chown it to ${uid}, give its group read permission, or start as root`,
      }
    }
    return { ok: false, problem: `cannot be read: ${messageOf(error)}`, fix: 'mount a readable file' }
  }
}

function describeOwner(path: string): string {
  try {
    const stat = statSync(path)
    return ` (owner ${stat.uid}:${stat.gid}, mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`
  } catch {
    return '' // in an inaccessible directory
  }
}
