import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { passwordFileOf } from '../directory.ts'

const timeoutMs = 5000

/** PEM text of a PKCS#12 file, by OpenSSL's own command, or a problem with its fix. The password is the first line of NAME.pass beside it, else empty. */
export function readArchive(path: string): { ok: true; bytes: Buffer } | { ok: false; problem: string; fix: string } {
  const passwordFile = passwordFileOf(path)
  const hasPassword = existsSync(passwordFile)
  const words = ['pkcs12', '-in', path, '-nodes', '-passin', hasPassword ? `file:${passwordFile}` : 'pass:']
  // ciphers of older exports, such as RC2 of Windows
  for (const more of [[], ['-legacy']]) {
    const { status, stdout, error } = spawnSync('openssl', [...words, ...more], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: timeoutMs,
    })
    if (error && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return {
        ok: false,
        problem: 'is PKCS#12, and there is no openssl to read it',
        fix: `install openssl, or convert it elsewhere: openssl pkcs12 -in ${basename(path)} -passin file:PASSWORD -nodes -out NAME.pem`,
      }
    if (status === 0) return { ok: true, bytes: stdout }
  }
  return hasPassword
    ? { ok: false, problem: `cannot be read with the password in ${passwordFile}`, fix: 'write the right one into it' }
    : { ok: false, problem: 'is damaged or has a password', fix: `write its password into ${passwordFile}` }
}
