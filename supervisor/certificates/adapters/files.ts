import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, messageOf, OperatorError } from '../../base/errors.ts'
import { certificatesOf, keysOf, readPem } from '../../base/pem.ts'
import type { CertificateFacts, CertificateFiles, CertificateReading } from '../certificate.ts'
import { type ChainLink, orderChain } from '../chain.ts'
import { findChainWeakness, findKeyWeakness, keyTypeOf, oneLine } from './strength.ts'

/** No certificate comes near it. */
const longestFile = 1_000_000

type Bad = { ok: false; problem: string; fix: string }

/**
 * Names of the files in a certificate folder, and of the folders in it; empty when there is no such folder. Names that
 * begin with a dot are Kubernetes' own, and lost+found is of the file system. An OperatorError when it cannot be read.
 */
export function listCertificateFolder(folder: string): { files: string[]; folders: string[] } {
  try {
    const names = readdirSync(folder).filter(name => !name.startsWith('.') && name !== 'lost+found')
    const folders = names.filter(name => isFolder(join(folder, name)))
    return { files: names.filter(name => !folders.includes(name)), folders: folders.sort() }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { files: [], folders: [] }
    throw new OperatorError(`cannot read the certificate folder ${folder}: ${messageOf(error)}`, {
      fix: `let user ${process.getuid?.()} read the folder, or name another with cert_dir`,
    })
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // a link that leads nowhere: who reads it is told
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
  const weakKey = findKeyWeakness(match.key)
  if (weakKey) return refuse(`the key ${files.key}`, weakKey)

  const ordered = orderChain(
    match.leaf,
    chain.links.filter(link => link !== match.leaf),
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
      links.push({ x509, subject: x509.subject, isIssuedBy: other => isIssuedBy(x509, other.x509) })
    } catch {
      const problem = `is damaged: certificate ${index + 1} of ${found.texts.length} cannot be read`
      return { ok: false, problem, fix: 'write it again' }
    }
  }
  return { ok: true, links }
}

/** By name and by signature: a CA with a new key may have the old name. */
function isIssuedBy(x509: X509Certificate, issuer: X509Certificate): boolean {
  return x509.checkIssued(issuer) && x509.verify(issuer.publicKey)
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

function factsOf(x509: X509Certificate, key: KeyObject): Omit<CertificateFacts, 'id' | 'keyMatches' | 'remarks'> {
  return {
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
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
    const names = strangers.map(({ subject }) => oneLine(subject)).join('; ')
    remarks.push(`${path} holds what is no part of the chain, and is left out: ${names}`)
  }
  if (leaf && chain.length === 1 && /CA Issuers/.test(leaf.x509.infoAccess ?? ''))
    remarks.push(
      `${path} lacks the intermediate certificate, so that some clients will not trust it: mount the full chain`,
    )
  for (const { x509 } of chain.slice(1)) {
    if (Date.parse(x509.validTo) <= Date.now())
      remarks.push(
        `${path} holds a CA's certificate that expired on ${new Date(x509.validTo).toISOString()}, so that clients refuse the chain: ${oneLine(x509.subject)}; mount the full chain of now`,
      )
  }
  if (leaf?.x509.publicKey.asymmetricKeyType?.startsWith('ed'))
    remarks.push(
      `${path} is for a key of the type Ed25519 or Ed448, which browsers do not take: EC P-256 or RSA serves everybody`,
    )
  if (leaf && !leaf.x509.subjectAltName) remarks.push(`${path} names no host (subjectAltName): browsers refuse it`)
  return remarks
}

function readPemFile(path: string): ReturnType<typeof readPem> {
  try {
    // what is no file, such as a pipe, might hold up whoever reads it for ever
    const entry = statSync(path)
    if (!entry.isFile()) return { ok: false, problem: 'is no file', fix: 'mount a file in its place' }
    if (entry.size > longestFile)
      return { ok: false, problem: 'is too long for PEM', fix: 'mount a PEM file in its place' }
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
