import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface CertificateOptions {
  chain: string
  key: string
  keyType?: 'ecdsa' | 'rsa'
  days?: number
  /** Further names. */
  names?: string[]
  address?: string
}

/** Makes a self-signed certificate for a name, valid for 30 days, with openssl. */
export function makeCertificate(folder: string, name: string, options: CertificateOptions): void {
  const { chain, key, keyType = 'ecdsa', days = 30, names = [], address } = options
  mkdirSync(folder, { recursive: true })
  const newKey = keyType === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const alternatives = [name, ...names]
    .map(each => `DNS:${each}`)
    .concat(address ? `IP:${address}` : [])
    .join(',')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', ...newKey, '-nodes', '-days', String(days)],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`],
      ...['-keyout', join(folder, key), '-out', join(folder, chain)],
    ],
    { stdio: 'ignore' },
  )
}

const dayMs = 86_400_000
const caConfiguration = `[ca]
default_ca=d
[d]
database=index
rand_serial=yes
default_md=sha256
policy=p
copy_extensions=copy
new_certs_dir=.
[p]
commonName=supplied
`

/** Makes one that is valid from and to so many days from now, which may be in the past. */
export function makeDatedCertificate(folder: string, name: string, days: { from: number; to: number }): void {
  const work = mkdtempSync(join(tmpdir(), 'monohull-test-ca-'))
  const files = { chain: 'fullchain.pem', key: 'privkey.pem' }
  try {
    makeCertificate(folder, name, files)
    const key = join(folder, files.key)
    const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: work, stdio: 'ignore' })
    openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-out', 'csr')
    writeFileSync(join(work, 'index'), '')
    writeFileSync(join(work, 'conf'), caConfiguration)
    const at = (day: number) => `${new Date(Date.now() + day * dayMs).toISOString().replace(/[-:T]|\..*/g, '')}Z`
    const dates = ['-startdate', at(days.from), '-enddate', at(days.to)]
    const out = ['-in', 'csr', '-out', join(folder, files.chain), '-notext']
    openssl('ca', '-batch', '-config', 'conf', '-selfsign', '-keyfile', key, ...out, ...dates)
  } finally {
    rmSync(work, { recursive: true })
  }
}
