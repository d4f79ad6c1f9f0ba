import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ChainOptions {
  /** Bits of the RSA key of the intermediate CA. */
  bits?: number
  /** What signs the certificate itself. */
  hash?: 'sha256' | 'sha1'
  /** Days that the intermediate CA's certificate is valid; negative: it has ended. */
  days?: number
}

/**
 * Makes a certificate for a name as fullchain.pem and privkey.pem, with that of an intermediate CA which a root signed. As Debian's
 * openssl would not have it, where that is asked for.
 */
export function makeChain(
  folder: string,
  name: string,
  { bits = 2048, hash = 'sha256', days = 30 }: ChainOptions,
): void {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'monohull-test-chain-'))
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: work, stdio: 'ignore' })
  const key = join(folder, 'privkey.pem')
  try {
    writeFileSync(join(work, 'ca'), 'basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash')
    writeFileSync(join(work, 'server'), `subjectAltName=DNS:${name}`)
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=Root',
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
    )
    openssl(
      'req',
      '-new',
      '-newkey',
      `rsa:${bits}`,
      '-nodes',
      '-subj',
      '/CN=Middle',
      '-keyout',
      'middle.key',
      '-out',
      'middle.csr',
    )
    const byRoot = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', 'ca', '-days', String(days)]
    openssl('x509', '-req', '-in', 'middle.csr', ...byRoot, '-out', 'middle.pem')
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
    openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-out', 'leaf.csr')
    const byMiddle = ['-CA', 'middle.pem', '-CAkey', 'middle.key', '-CAcreateserial', '-extfile', 'server']
    openssl('x509', '-req', '-in', 'leaf.csr', `-${hash}`, ...byMiddle, '-days', '20', '-out', 'leaf.pem')
    // in the wrong order, which is put right
    const parts = ['middle.pem', 'leaf.pem'].map(file => readFileSync(join(work, file), 'utf8'))
    writeFileSync(join(folder, 'fullchain.pem'), parts.join(''))
  } finally {
    rmSync(work, { recursive: true })
  }
}
