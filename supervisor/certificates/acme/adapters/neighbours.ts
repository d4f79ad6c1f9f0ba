import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removeOwned } from '../../../base/adapters/file-lock.ts'
import { createPrivately } from '../../../base/adapters/private-file.ts'
import type { Claim, Neighbours } from '../authority.ts'
import { type AcmePlan, directoryNameOf } from '../plan.ts'

/** Time after its last sign of life at which another instance counts as gone, in ms by the clock of the file system. */
const silentMs = 30_000
const forgottenMs = 86_400_000
const token = /^[A-Za-z0-9_-]+$/

/**
 * Neighbours that meet in `directory`. If it cannot be written, there are none, and everything may be claimed. `idFile`: in run_dir,
 * which only one instance uses at a time. So an instance that was killed finds its own claims again at the next start.
 */
export function createNeighbours(directory: string, idFile: string): Neighbours {
  const id = ownId(idFile)
  const [instances, claims, challenges] = ['instances', 'claims', 'challenges'].map(name => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const own = join(instances, id)
  const ownTokens = new Set<string>()
  let alive = new Set<string>()

  function beat(): void {
    try {
      for (const each of [instances, claims, challenges]) mkdirSync(each, { recursive: true, mode: 0o700 })
      writeFileSync(own, `${process.pid}\n`, { mode: 0o600 })
      const now = statSync(own).mtimeMs
      const ages = readdirSync(instances).map(name => [name, now - modified(join(instances, name))] as const)
      for (const [name, age] of ages) if (age > forgottenMs) rmSync(join(instances, name), { force: true })
      alive = new Set(ages.filter(([name, age]) => name !== id && age < silentMs).map(([name]) => name))
    } catch {
      alive = new Set() // a full or read-only directory is reported elsewhere
    }
  }

  function claim({ name }: Pick<AcmePlan, 'name'>): Claim | undefined {
    const path = join(claims, directoryNameOf(name))
    const claimed = { release: () => removeOwned(path, id) }
    beat()
    for (let attempt = 1; attempt <= 2; attempt++) {
      try {
        if (createPrivately(path, id)) return claimed
      } catch {
        return { release() {} } // a directory that cannot be written
      }
      const owner = readText(path)
      if (owner === id) return claimed
      if (owner !== undefined && alive.has(owner)) return undefined
      if (owner !== undefined) removeOwned(path, owner)
    }
    return undefined
  }

  return {
    beat,
    exist: () => alive.size > 0,
    claim,
    share(name, keyAuthorization) {
      ownTokens.add(name)
      try {
        const next = join(challenges, `.${name}`)
        writeFileSync(next, keyAuthorization, { mode: 0o600 })
        renameSync(next, join(challenges, name))
      } catch {
        // only others need it
      }
    },
    unshare(name) {
      ownTokens.delete(name)
      remove(join(challenges, name))
    },
    shared() {
      const names = listNames(challenges).filter(name => token.test(name) && !ownTokens.has(name))
      return new Map(names.flatMap(name => [[name, readText(join(challenges, name)) ?? '']] as [string, string][]))
    },
    close() {
      for (const name of ownTokens) remove(join(challenges, name))
      remove(own)
    },
  }
}

function ownId(file: string): string {
  const known = readText(file)
  if (known !== undefined && /^[0-9a-f-]{36}$/.test(known)) return known
  const id = randomUUID()
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, id, { mode: 0o600 })
  } catch {
    // another id at the next start
  }
  return id
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // in a directory that cannot be written
  }
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // none yet
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // removed meanwhile
  }
}
