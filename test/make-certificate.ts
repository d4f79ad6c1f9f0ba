import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a self-signed certificate for a name, valid for 30 days, with openssl. */
export function makeCertificate(folder: string, name: string, files: { chain: string; key: string }): void {
  mkdirSync(folder, { recursive: true })
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const output = ['-keyout', join(folder, files.key), '-out', join(folder, files.chain)]
  execFileSync('openssl', ['req', ...kind, ...names, ...output], { stdio: 'ignore' })
}
