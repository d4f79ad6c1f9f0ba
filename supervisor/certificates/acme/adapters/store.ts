import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { readCertificate } from '../../adapters/files.ts'
import type { UsableCertificate } from '../../certificate.ts'
import type { AcmeStore } from '../authority.ts'
import { AcmeError, type AcmeRecord, directoryNameOf } from '../plan.ts'

const files = { chain: 'fullchain.pem', key: 'privkey.pem' }
/** Number of certificates kept for a name: the current one and the previous one. */
const keptCount = 2
const certificateId = /^[0-9a-f]{16}$/

/** Store of ACME certificates: `NAME/ID/` in `certificatesDir` contains a pair with certbot's file names, and `NAME/record.json` the record. */
export function createAcmeStore(certificatesDir: string): AcmeStore {
  const dirOf = (name: string) => join(certificatesDir, directoryNameOf(name))
  const recordPath = (name: string) => join(dirOf(name), 'record.json')
  const pendingPath = (name: string) => join(dirOf(name), 'pending.key')

  /** Usable certificates of a name, latest first. */
  function all(name: string): UsableCertificate[] {
    return listNames(dirOf(name), certificateId)
      .flatMap(id => {
        const reading = readCertificate(join(dirOf(name), id), files)
        return reading.ok && reading.certificate.keyMatches ? [reading] : []
      })
      .sort((a, b) => b.certificate.notBefore - a.certificate.notBefore)
  }

  return {
    record(name) {
      const text = readText(recordPath(name))
      return text === undefined ? undefined : parseRecord(text)
    },
    saveRecord: (name, record) => writePrivately(recordPath(name), formatRecord(record)),
    version(name) {
      const { mtimeMs = 0, ino = 0 } = statSync(recordPath(name), { throwIfNoEntry: false }) ?? {}
      return mtimeMs + ino
    },
    current(name, id) {
      const [latest, ...others] = all(name)
      return others.find(({ certificate }) => certificate.id === id) ?? latest
    },
    save(name, pem, findDefect) {
      const dir = dirOf(name)
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      const staging = mkdtempSync(join(dir, '.new-'))
      try {
        writePrivately(join(staging, files.key), pem.key)
        writePrivately(join(staging, files.chain), pem.chain)
        const reading = readCertificate(staging, files)
        const defect = reading.ok ? findDefect(reading) : `the CA issued an unusable certificate: ${reading.problem}`
        if (!reading.ok || defect !== undefined) throw new AcmeError(defect ?? '', { type: 'unusable' })
        const final = join(dir, reading.certificate.id)
        rmSync(final, { recursive: true, force: true })
        renameSync(staging, final)
        for (const { certificate } of all(name).slice(keptCount)) rmSync(join(dir, certificate.id), { recursive: true })
        return { ...reading, files: { chain: join(final, files.chain), key: join(final, files.key) } }
      } finally {
        rmSync(staging, { recursive: true, force: true })
      }
    },
    remove: name => rmSync(dirOf(name), { recursive: true, force: true }),
    pendingKey: name => readText(pendingPath(name)),
    savePendingKey(name, keyPem) {
      if (keyPem === undefined) rmSync(pendingPath(name), { force: true })
      else writePrivately(pendingPath(name), keyPem)
    },
  }
}

/** Names that the directory has certificates, orders in progress or records for. */
export function namesIn(certificatesDir: string): string[] {
  return listNames(certificatesDir, /^[a-z0-9][a-z0-9.-]*$/)
}

function listNames(directory: string, names: RegExp): string[] {
  try {
    return readdirSync(directory).filter(name => names.test(name))
  } catch {
    return [] // none yet
  }
}

/** Record in `record.json`, where `spec` has the key `wish`; undefined if the file is damaged. */
function parseRecord(text: string): AcmeRecord | undefined {
  try {
    const { wish: spec, ...rest } = JSON.parse(text)
    return { spec, ...rest }
  } catch {
    return undefined
  }
}

function formatRecord({ spec, ...rest }: AcmeRecord): string {
  return `${JSON.stringify({ wish: spec, ...rest }, null, 2)}\n`
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // none yet
  }
}
