import { accessSync, constants, copyFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateStore } from '../domain/ports.ts'
import { createSelfSigned, listCertificateFolder, readCertificate } from './cert-files.ts'

/** Certificates on disk. */
export const certificateStore: CertificateStore = {
  list: listCertificateFolder,
  read: readCertificate,
  createSelfSigned,
  isWritable(folder) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      accessSync(folder, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
  keepCopy(files, folder) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const copy = { chain: join(folder, 'served.crt'), key: join(folder, 'served.key') }
    for (const part of ['key', 'chain'] as const) {
      copyFileSync(files[part], `${copy[part]}.next`)
      renameSync(`${copy[part]}.next`, copy[part])
    }
    return copy
  },
}
