import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, messageOf, OperatorError } from '../base/errors.ts'
import type { CertificateFacts, CertificateFiles, CertificateReading } from '../domain/certificate.ts'

const selfSignedDays = 397

/** Names of the files in a certificate folder; empty when there is no such folder. An OperatorError when it cannot be read. */
export function listCertificateFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw new OperatorError(`cannot read the certificate folder ${folder}: ${messageOf(error)}`, {
      fix: `let user ${process.getuid?.()} read the folder, or name another with cert_dir`,
    })
  }
}

/** Reads a pair and what the certificate says; the key's content never leaves this function. */
export function readCertificate(folder: string, names: CertificateFiles): CertificateReading {
  const files = { chain: join(folder, names.chain), key: join(folder, names.key) }
  const chain = readPem(files.chain)
  if (!chain.ok) return { ok: false, files, problem: chain.problem, fix: chain.fix }
  const key = readPem(files.key)
  if (!key.ok) return { ok: false, files, problem: key.problem, fix: key.fix }
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(chain.text)
  } catch {
    return {
      ok: false,
      files,
      problem: `${files.chain} holds no PEM certificate`,
      fix: 'it must begin with -----BEGIN CERTIFICATE-----; convert DER with: openssl x509 -inform der',
    }
  }
  if (/ENCRYPTED/.test(key.text)) {
    return {
      ok: false,
      files,
      problem: `the key ${files.key} is protected by a passphrase`,
      fix: 'remove it with: openssl pkey -in KEY -out privkey.pem',
    }
  }
  try {
    return { ok: true, files, certificate: factsOf(certificate, createPrivateKey(key.text)) }
  } catch {
    return {
      ok: false,
      files,
      problem: `${files.key} holds no PEM private key`,
      fix: 'it must begin with -----BEGIN PRIVATE KEY----- (or EC / RSA PRIVATE KEY)',
    }
  }
}

function factsOf(certificate: X509Certificate, key: ReturnType<typeof createPrivateKey>): CertificateFacts {
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    names: [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(
      match => match[1] ?? '',
    ),
    serial: certificate.serialNumber,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    keyMatches: certificate.checkPrivateKey(key),
  }
}

function readPem(path: string): { ok: true; text: string } | { ok: false; problem: string; fix: string } {
  try {
    return { ok: true, text: readFileSync(path, 'latin1') }
  } catch (error) {
    const uid = process.getuid?.()
    if (errnoOf(error) === 'EACCES') {
      return {
        ok: false,
        problem: `${path} cannot be read by user ${uid}${describeOwner(path)}`,
        fix: `chown it to ${uid}, give its group read permission, or start as root`,
      }
    }
    return { ok: false, problem: `${path} cannot be read: ${messageOf(error)}`, fix: 'mount a readable file' }
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

/** Makes a self-signed certificate for `names` and puts it at `files` in one step, the key for its owner only. */
export async function createSelfSigned(files: CertificateFiles, names: readonly string[]): Promise<void> {
  const { execa } = await import('execa')
  const folder = join(files.chain, '..')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const staging = mkdtempSync(join(folder, '.new-'))
  const alternatives = [...names.map(name => `DNS:${name}`), 'IP:127.0.0.1', 'IP:::1'].join(',')
  try {
    const made = await execa(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'],
        ...[
          '-days',
          String(selfSignedDays),
          '-subj',
          '/CN=monohull self-signed',
          '-addext',
          `subjectAltName=${alternatives}`,
        ],
        ...[
          '-addext',
          'extendedKeyUsage=serverAuth',
          '-keyout',
          join(staging, 'key.pem'),
          '-out',
          join(staging, 'cert.pem'),
        ],
      ],
      { reject: false, stdin: 'ignore' },
    )
    if (made.failed) {
      throw new OperatorError(`cannot make a self-signed certificate: ${made.stderr || made.shortMessage}`, {
        fix: 'install openssl, or mount a certificate in cert_dir',
      })
    }
    renameSync(join(staging, 'key.pem'), files.key)
    renameSync(join(staging, 'cert.pem'), files.chain)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}
