import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { CertificateFiles } from '../domain/certificate.ts'

const selfSignedDays = 397

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
