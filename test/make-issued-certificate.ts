import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Nobody asks there: a scanner wants it named. */
const revocation = 'crlDistributionPoints=URI:http://127.0.0.1/ca.crl'
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/**
 * Makes a certificate for a name as fullchain.pem and privkey.pem, as a public CA would issue it: of a CA of its own, for 80
 * days, with all that such certificates have. The CA's certificate goes to `root`.
 */
export function makeIssuedCertificate(folder: string, name: string, root: string): void {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'monohull-test-ca-'))
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: work, stdio: 'ignore' })
  const extensions = [
    `subjectAltName=DNS:${name}`,
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
    'authorityKeyIdentifier=keyid',
    revocation,
  ]
  try {
    openssl('req', '-x509', ...newKey, '-days', '90', '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', root)
    openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-keyout', join(folder, 'privkey.pem'), '-out', 'csr')
    writeFileSync(join(work, 'extensions'), extensions.join('\n'))
    const signed = ['-extfile', 'extensions', '-days', '80', '-out', join(folder, 'fullchain.pem')]
    openssl('x509', '-req', '-in', 'csr', '-CA', root, '-CAkey', 'ca.key', '-CAcreateserial', ...signed)
  } finally {
    rmSync(work, { recursive: true })
  }
}
