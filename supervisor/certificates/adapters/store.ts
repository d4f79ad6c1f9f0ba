import { accessSync, constants, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateStore } from '../search.ts'
import { listCertificateFolder, readCertificate } from './files.ts'

/** Certificates on disk. */
export const certificateStore: CertificateStore = {
  list: listCertificateFolder,
  read: readCertificate,
  // made seldom, so loaded then
  localAuthority: async () => {
    const { createAuthority, createLocalCertificate, readAuthorityScope } = await import(
      '../local-ca/adapters/authority.ts'
    )
    return { create: createAuthority, sign: createLocalCertificate, scopeOf: readAuthorityScope }
  },
  remove(files) {
    for (const path of [files.chain, files.key]) rmSync(path, { force: true })
  },
  isWritable(folder) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      accessSync(folder, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
  keepCopy({ pem, certificate }, folder) {
    const target = join(folder, certificate.id)
    mkdirSync(target, { recursive: true, mode: 0o700 })
    const copy = { chain: join(target, 'served.crt'), key: join(target, 'served.key') }
    for (const part of ['key', 'chain'] as const) {
      writeFileSync(`${copy[part]}.next`, pem[part], { mode: 0o600 })
      renameSync(`${copy[part]}.next`, copy[part])
    }
    return copy
  },
  keepOnly(ids, folder) {
    for (const name of readdirSync(folder)) {
      // the names of copies; a local CA and its certificate may live here too
      if (/^[0-9a-f]{16}$/.test(name) && !ids.includes(name))
        rmSync(join(folder, name), { recursive: true, force: true })
    }
  },
}
