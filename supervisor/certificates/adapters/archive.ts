import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { passwordFileOf } from '../directory.ts'

const timeoutMs = 5000

/** PEM text of a PKCS#12 file, by OpenSSL's own command, or a problem with its fix. The password is the first line of NAME.pass beside it, else empty. */
export function readArchive(path: string): { ok: true; bytes: Buffer } | { ok: false; problem: string; fix: string } {
  const found = findPasswordFile(path)
  const passwordFile = found ?? passwordFileOf(path)
  const words = ['pkcs12', '-in', path, '-nodes', '-passin', found ? 'stdin' : 'pass:']
  // ciphers of older exports, such as RC2 of Windows
  for (const more of [[], ['-legacy']]) {
    const { status, stdout, error } = spawnSync('openssl', [...words, ...more], {
      input: found ? `${readFirstLine(found)}\n` : '',
      stdio: ['pipe', 'pipe', 'ignore'],
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
  return found
    ? {
        ok: false,
        problem: `cannot be read with the password in ${passwordFile}`,
        fix: 'write the right one into its first line, or export the archive again if it is damaged',
      }
    : { ok: false, problem: 'is damaged or has a password', fix: `write its password into ${passwordFile}` }
}

/** File with the password of an archive; letter case does not count. Undefined if there is none. */
function findPasswordFile(archive: string): string | undefined {
  const wanted = basename(passwordFileOf(archive)).toLowerCase()
  const name = readdirSync(dirname(archive)).find(candidate => candidate.toLowerCase() === wanted)
  return name === undefined ? undefined : join(dirname(archive), name)
}

/** First line of a text file, as editors of Windows write it too. */
function readFirstLine(path: string): string {
  const [line = ''] = readFileSync(path, 'utf8').split(/\r?\n/)
  return line.replace(/^\uFEFF/, '')
}
