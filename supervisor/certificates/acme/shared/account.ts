import { createHash } from 'node:crypto'
import { type Clock, pause } from '../../../base/clock.ts'
import type { SharedState } from '../../../shared-state/state.ts'
import type { AccountStore } from '../adapters/account.ts'

/** Time between two attempts to get the key that another instance creates, in ms. */
const pauseMs = 200
const maxAttempts = 25

/** Dependencies of a shared account. */
export interface SharedAccountDeps {
  state: SharedState
  clock: Clock
  signal: AbortSignal
  /** Store of this instance. */
  local: AccountStore
  /** URL of the ACME directory. */
  directory: string
}

/**
 * Account whose key all instances share, so that a response to a challenge is the same on each of them. The CA finds the rest of the account by its key.
 */
export function createSharedAccount({ state, clock, signal, local, directory }: SharedAccountDeps): AccountStore {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const name = `acme-account/${hash}`
  let latest: string | undefined
  let retired: string | undefined

  /** Key that the instances use, unless the CA no longer accepts it. */
  async function find(): Promise<{ key: string | undefined; version: number }> {
    const found = await state.read(name)
    const key = found && state.unseal(name, found.value)
    return { key: key === retired ? undefined : key, version: found?.version ?? 0 }
  }

  /** Undefined if another instance is creating one, or just has. */
  async function create(): Promise<string | undefined> {
    const outcome = await state.withLock(name, async lock => {
      const { key: present, version } = await find()
      if (present !== undefined) return present
      const key = await local.key()
      const result = await state.write(name, state.seal(name, key), { lock, version })
      return result.kind === 'written' ? key : undefined
    })
    return outcome.hadLock ? outcome.result : undefined
  }

  return {
    ...local,
    async key() {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const key = (await find()).key ?? (await create())
        if (key !== undefined) {
          local.adopt(key)
          latest = key
          return key
        }
        await pause(clock, pauseMs, signal)
      }
      throw new Error('another instance creates the account with the CA, and has not finished')
    },
    retireKey(reason) {
      retired = latest
      local.retireKey(reason)
    },
  }
}
