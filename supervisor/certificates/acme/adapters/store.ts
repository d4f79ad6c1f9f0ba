import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { readCertificate } from '../../adapters/files.ts'
import type { UsableCertificate } from '../../certificate.ts'
import type { AcmeStore } from '../authority.ts'
import { type AcmeRecord, folderOf } from '../plan.ts'

const files = { chain: 'fullchain.pem', key: 'privkey.pem' }
/** Certificates that are kept for a name: the one that serves, and the one before. */
const keptCount = 2
const certificateFolder = /^[0-9a-f]{16}$/

/** What the state folder holds of ACME: `certificates/NAME/ID/` with a pair in certbot's names, and `NAME/record.json`. */
export function createAcmeStore(folder: string): AcmeStore {
  const placeOf = (name: string) => join(folder, folderOf(name))
  const recordPath = (name: string) => join(placeOf(name), 'record.json')
  const pendingPath = (name: string) => join(placeOf(name), 'pending.key')

  /** The latest first. */
  function all(name: string): UsableCertificate[] {
    return listFolders(placeOf(name), certificateFolder)
      .flatMap(id => {
        const reading = readCertificate(join(placeOf(name), id), files)
        return reading.ok && reading.certificate.keyMatches ? [reading] : []
      })
      .sort((a, b) => b.certificate.notBefore - a.certificate.notBefore)
  }

  return {
    record(name) {
      const text = readText(recordPath(name))
      return text === undefined ? undefined : (parse(text) as AcmeRecord | undefined)
    },
    saveRecord: (name, record) => writePrivately(recordPath(name), `${JSON.stringify(record, null, 2)}\n`),
    current(name, id) {
      const [latest, ...others] = all(name)
      return others.find(({ certificate }) => certificate.id === id) ?? latest
    },
    save(name, pem) {
      const place = placeOf(name)
      mkdirSync(place, { recursive: true, mode: 0o700 })
      const staging = mkdtempSync(join(place, '.new-'))
      try {
        writePrivately(join(staging, files.key), pem.key)
        writePrivately(join(staging, files.chain), pem.chain)
        const reading = readCertificate(staging, files)
        if (!reading.ok) throw new Error(`the CA issued what cannot be used: ${reading.problem}`)
        if (!reading.certificate.keyMatches) throw new Error('the CA issued a certificate for another key')
        const final = join(place, reading.certificate.id)
        rmSync(final, { recursive: true, force: true })
        renameSync(staging, final)
        for (const { certificate } of all(name).slice(keptCount))
          rmSync(join(place, certificate.id), { recursive: true })
        return { ...reading, files: { chain: join(final, files.chain), key: join(final, files.key) } }
      } finally {
        rmSync(staging, { recursive: true, force: true })
      }
    },
    remove: name => rmSync(placeOf(name), { recursive: true, force: true }),
    pendingKey: name => readText(pendingPath(name)),
    savePendingKey(name, keyPem) {
      if (keyPem === undefined) rmSync(pendingPath(name), { force: true })
      else writePrivately(pendingPath(name), keyPem)
    },
  }
}

/** The names that there are certificates of. */
export function namesIn(folder: string): string[] {
  return listFolders(folder, /^[a-z0-9.-]+$/).filter(
    name => listFolders(join(folder, name), certificateFolder).length > 0,
  )
}

function listFolders(folder: string, names: RegExp): string[] {
  try {
    return readdirSync(folder).filter(name => names.test(name))
  } catch {
    return [] // none yet
  }
}

/** What a file of ours says; undefined when it is damaged. */
function parse(text: string): object | undefined {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // none yet
  }
}
