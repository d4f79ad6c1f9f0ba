import { createHash, createPrivateKey } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withFileLock } from '../../../base/adapters/file-lock.ts'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import type { Clock } from '../../../base/clock.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { KeyMaker } from '../authority.ts'

/** Stored account with an authority. */
export interface AcmeAccount {
  url: string | undefined
  email: string | undefined
}

/** Store of the account with an authority, which identifies it by its key. */
export interface AccountStore {
  /** Private key as PEM. If there is no usable key, creates one and removes the stored account. */
  key(): Promise<string>
  /** Sets a key aside that the authority no longer accepts, so that the next use creates one. */
  retireKey(reason: string): void
  /** Puts a key of another instance in use, in place of the present one. */
  adopt(key: string): void
  load(): AcmeAccount
  save(account: AcmeAccount): void
}

/** Dependencies of the account store. */
export interface AccountStoreDeps {
  keys: Pick<KeyMaker, 'createKey'>
  clock: Clock
  log: Log
}

/**
 * Account store in a subdirectory of `accountsDir` for the authority, which several instances may use. `directory`: URL of its ACME
 * directory.
 */
export function createAccountStore(
  accountsDir: string,
  directory: string,
  { keys, clock, log }: AccountStoreDeps,
): AccountStore {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  const dir = join(accountsDir, `${new URL(directory).hostname}-${hash}`)
  const keyPath = join(dir, 'account.key')
  const accountPath = join(dir, 'account.json')

  const consequence =
    'certificates stay in use and are renewed; only CAA records with accounturi must name the new account'

  let latest: string | undefined

  function setAside(): void {
    const aside = `${keyPath}.damaged`
    renameSync(keyPath, aside)
    log.warn('the key of the CA account is damaged, creating a new account', {
      kept_aside: aside,
      consequence,
      fix: `to use the old account again, stop monohull and restore its key in ${keyPath}`,
    })
  }

  async function findOrCreate(): Promise<string> {
    const present = readKey(keyPath)
    if (present !== undefined && isKey(present)) return present
    if (present !== undefined) setAside()
    const created = await keys.createKey('ecdsa')
    rmSync(accountPath, { force: true })
    writePrivately(keyPath, created)
    return created
  }

  return {
    async key() {
      const present = readKey(keyPath)
      const isUsable = present !== undefined && isKey(present)
      latest = isUsable ? present : await withFileLock(join(dir, 'account.lock'), clock, findOrCreate)
      return latest
    },
    retireKey(reason) {
      if (readKey(keyPath) !== latest) return // another instance was faster
      const aside = `${keyPath}.refused`
      renameSync(keyPath, aside)
      log.warn('the CA no longer accepts the account, creating a new one', {
        reason,
        kept_aside: aside,
        consequence,
        fix: `none is needed; if the account has a newer key, stop monohull and put that key in ${keyPath}`,
      })
    },
    adopt(key) {
      latest = key
      if (readKey(keyPath) === key) return
      rmSync(accountPath, { force: true })
      writePrivately(keyPath, key)
    },
    load() {
      try {
        return JSON.parse(readFileSync(accountPath, 'utf8')) as AcmeAccount
      } catch {
        return { url: undefined, email: undefined } // none yet, or damaged: the CA finds the account by the key
      }
    },
    save: account => writePrivately(accountPath, `${JSON.stringify(account)}\n`),
  }
}

/** Undefined if there is no key. Throws if it cannot be read, because such a key must not be replaced. */
function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new Error(`cannot read the account key: ${messageOf(error)}; let the user that monohull runs as read ${path}`)
  }
}

function isKey(pem: string): boolean {
  try {
    createPrivateKey(pem)
    return true
  } catch {
    return false
  }
}
