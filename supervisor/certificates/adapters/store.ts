import { accessSync, constants, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFileLock } from '../../base/adapters/file-lock.ts'
import type { CertificateStore } from '../search.ts'
import { listCertificateDirectory, readCertificate } from './files.ts'

/** Store of certificates on disk. */
export const certificateStore: CertificateStore = {
  list: listCertificateDirectory,
  read: readCertificate,
  // rarely needed, so loaded on demand
  localAuthority: async () => {
    const { createAuthority, createLocalCertificate, readAuthorityScope } = await import(
      '../local-ca/adapters/authority.ts'
    )
    return { create: createAuthority, sign: createLocalCertificate, scopeOf: readAuthorityScope }
  },
  remove(files) {
    for (const path of [files.chain, files.key]) rmSync(path, { force: true })
  },
  rename(from, to) {
    for (const part of ['key', 'chain'] as const) renameSync(from[part], to[part])
  },
  isWritable(directory) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      accessSync(directory, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
  alone: (directory, clock, act) => withFileLock(join(directory, 'local-ca.lock'), clock, act),
  keepCopy({ pem, certificate }, directory) {
    const target = join(directory, certificate.id)
    mkdirSync(target, { recursive: true, mode: 0o700 })
    const copy = { chain: join(target, 'served.crt'), key: join(target, 'served.key') }
    for (const part of ['key', 'chain'] as const) {
      writeFileSync(`${copy[part]}.next`, pem[part], { mode: 0o600 })
      renameSync(`${copy[part]}.next`, copy[part])
    }
    return copy
  },
  keepOnly(ids, directory) {
    for (const name of readdirSync(directory)) {
      // only names of copies: a local CA and its certificate may be here too
      if (/^[0-9a-f]{16}$/.test(name) && !ids.includes(name))
        rmSync(join(directory, name), { recursive: true, force: true })
    }
  },
}
