import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, messageOf, OperatorError } from '../base/errors.ts'
import type { CertificateFacts, CertificateFiles, CertificateReading } from '../domain/certificate.ts'
import { type ChainLink, orderChain } from '../domain/certificate-chain.ts'
import { certificatesOf, keysOf, readPem } from '../domain/pem.ts'

/** What OpenSSL, as Debian sets it up, lets a server use. */
const leastRsaBits = 2048
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

type Bad = { ok: false; problem: string; fix: string }

/**
 * Names of the files in a certificate folder, and of the folders in it; empty when there is no such folder. Names that
 * begin with a dot are Kubernetes' own. An OperatorError when it cannot be read.
 */
export function listCertificateFolder(folder: string): { files: string[]; folders: string[] } {
  try {
    const names = readdirSync(folder).filter(name => !name.startsWith('.'))
    const isFolder = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() ?? false
    const folders = names.filter(isFolder)
    return { files: names.filter(name => !folders.includes(name)), folders: folders.sort() }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { files: [], folders: [] }
    throw new OperatorError(`cannot read the certificate folder ${folder}: ${messageOf(error)}`, {
      fix: `let user ${process.getuid?.()} read the folder, or name another with cert_dir`,
    })
  }
}

/** Reads a pair and puts its chain in order. What is wrong names the file. */
export function readCertificate(folder: string, names: CertificateFiles): CertificateReading {
  const files = { chain: join(folder, names.chain), key: join(folder, names.key) }
  const refuse = (path: string, { problem, fix }: Bad): CertificateReading => ({
    ok: false,
    files,
    problem: `${path} ${problem}`,
    fix,
  })
  const chain = parseCertificates(files.chain)
  if (!chain.ok) return refuse(files.chain, chain)
  const keys = parseKeys(files.key)
  if (!keys.ok) return refuse(`the key ${files.key}`, keys)
  // the leaf is the one that the key belongs to, wherever it stands
  const found = chain.links.flatMap(leaf =>
    keys.keys.filter(key => leaf.x509.checkPrivateKey(key)).map(key => ({ leaf, key })),
  )
  const [first, key] = [chain.links[0], keys.keys[0]]
  const match = found[0] ?? (first && key && { leaf: first, key })
  if (!match) throw new Error('cannot judge a pair without a certificate and a key')
  const weakness = findWeakness(match.key)
  if (weakness) return refuse(`the key ${files.key}`, weakness)

  const ordered = orderChain(
    match.leaf,
    chain.links.filter(link => link !== match.leaf),
  )
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

interface ReadLink extends ChainLink {
  x509: X509Certificate
  isIssuedBy(other: ReadLink): boolean
}

function parseCertificates(path: string): { ok: true; links: ReadLink[] } | Bad {
  const pem = readPemFile(path)
  const found = pem.ok ? certificatesOf(pem.blocks) : pem
  if (!found.ok) return found
  const links: ReadLink[] = []
  for (const [index, text] of found.texts.entries()) {
    try {
      const x509 = new X509Certificate(text)
      links.push({ x509, subject: x509.subject, isIssuedBy: other => x509.checkIssued(other.x509) })
    } catch {
      const problem = `is damaged: certificate ${index + 1} of ${found.texts.length} cannot be read`
      return { ok: false, problem, fix: 'write it again' }
    }
  }
  return { ok: true, links }
}

function parseKeys(path: string): { ok: true; keys: KeyObject[] } | Bad {
  const pem = readPemFile(path)
  const found = pem.ok ? keysOf(pem.blocks) : pem
  if (!found.ok) return found
  try {
    return { ok: true, keys: found.texts.map(text => createPrivateKey(text)) }
  } catch {
    return { ok: false, problem: 'is damaged: it cannot be read', fix: 'write it again' }
  }
}

/** Why nginx would not take a key. */
function findWeakness(key: KeyObject): Bad | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  const fix = 'make a new one: EC P-256, or RSA of 2048 bits or more'
  if (keyTypeOf(key) === undefined) return { ok: false, problem: `is of type ${key.asymmetricKeyType}`, fix }
  if (modulusLength !== undefined && modulusLength < leastRsaBits)
    return { ok: false, problem: `has ${modulusLength} bits, too few for OpenSSL`, fix }
  if (namedCurve !== undefined && !curves.has(namedCurve))
    return { ok: false, problem: `is of the curve ${namedCurve}, which TLS clients do not know`, fix }
  return undefined
}

function keyTypeOf(key: KeyObject): CertificateFacts['keyType'] | undefined {
  if (key.asymmetricKeyType === 'ec') return 'ecdsa'
  if (key.asymmetricKeyType?.startsWith('rsa')) return 'rsa'
  return key.asymmetricKeyType?.startsWith('ed') ? 'eddsa' : undefined
}

function factsOf(x509: X509Certificate, key: KeyObject): Omit<CertificateFacts, 'id' | 'keyMatches' | 'remarks'> {
  return {
    subject: x509.subject.replaceAll('\n', ', '),
    issuer: x509.issuer.replaceAll('\n', ', '),
    names: [...(x509.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(match => match[1] ?? ''),
    serial: x509.serialNumber,
    fingerprint: x509.fingerprint256,
    keyType: keyTypeOf(key) ?? 'rsa',
    notBefore: Date.parse(x509.validFrom),
    notAfter: Date.parse(x509.validTo),
  }
}

function remarksOn(path: string, { chain, strangers }: { chain: ReadLink[]; strangers: ReadLink[] }): string[] {
  const [leaf] = chain
  const remarks: string[] = []
  if (strangers.length > 0) {
    const names = strangers.map(({ subject }) => subject.replaceAll('\n', ', ')).join('; ')
    remarks.push(`${path} holds what is no part of the chain, and is left out: ${names}`)
  }
  if (leaf && chain.length === 1 && /CA Issuers/.test(leaf.x509.infoAccess ?? ''))
    remarks.push(
      `${path} lacks the intermediate certificate, so that some clients will not trust it: mount the full chain`,
    )
  if (leaf && !leaf.x509.subjectAltName) remarks.push(`${path} names no host (subjectAltName): browsers refuse it`)
  return remarks
}

function readPemFile(path: string): ReturnType<typeof readPem> {
  try {
    return readPem(readFileSync(path))
  } catch (error) {
    const uid = process.getuid?.()
    if (errnoOf(error) === 'EACCES') {
      return {
        ok: false,
        problem: `cannot be read by user ${uid}${describeOwner(path)}`,
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
    return '' // in a folder that cannot be entered
  }
}
