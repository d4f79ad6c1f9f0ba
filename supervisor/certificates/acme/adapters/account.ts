import { createHash, createPrivateKey } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from '../../../base/adapters/private-file.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { KeyMaker } from '../authority.ts'

/** What is kept of the account with an authority. */
export interface AcmeAccount {
  url: string | undefined
  email: string | undefined
}

/** The account with an authority, which knows it by its key. */
export interface AccountStore {
  /** PEM. Another one is made where there is none that can be used, and what is kept of the account before is dropped. */
  key(): Promise<string>
  load(): AcmeAccount
  save(account: AcmeAccount): void
}

export interface AccountStoreDeps {
  keys: Pick<KeyMaker, 'createKey'>
  log: Log
}

/** An account in a folder named after the authority's directory. */
export function createAccountStore(folder: string, directory: string, { keys, log }: AccountStoreDeps): AccountStore {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8)
  const place = join(folder, `${new URL(directory).hostname}-${hash}`)
  const keyPath = join(place, 'account.key')
  const accountPath = join(place, 'account.json')

  function setAside(): void {
    const aside = `${keyPath}.damaged`
    renameSync(keyPath, aside)
    log.warn('the key of the account with the CA is damaged: a new account takes its place', {
      kept_aside: aside,
      consequence: 'certificates serve on and are renewed; only CAA records with accounturi need the new account',
      fix: `to have the old account back, stop monohull and put its key in ${keyPath} again`,
    })
  }

  return {
    async key() {
      const present = readKey(keyPath)
      if (present !== undefined && isKey(present)) return present
      if (present !== undefined) setAside()
      const made = await keys.createKey('ecdsa')
      rmSync(accountPath, { force: true })
      writePrivately(keyPath, made)
      return made
    },
    load() {
      try {
        return JSON.parse(readFileSync(accountPath, 'utf8')) as AcmeAccount
      } catch {
        return { url: undefined, email: undefined } // none yet, or damaged: the CA tells by the key
      }
    },
    save: account => writePrivately(accountPath, `${JSON.stringify(account)}\n`),
  }
}

/** Undefined when there is none; one that cannot be read is none to replace. */
function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new Error(
      `cannot read the key of the account: ${messageOf(error)}; let the user that monohull runs as read ${path}`,
    )
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
