import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { SharedState } from '../../../shared-state/state.ts'
import type { SharedResponses } from '../authority.ts'
import { UnsharedError } from '../plan.ts'

/** Longer than a CA takes to validate. */
const keptMs = 3_600_000
const path = /^(?:\/?\.well-known\/acme-challenge\/)?([A-Za-z0-9_-]{1,256})$/

const nameOf = (token: string) => `acme-challenge/${token}`

/**
 * Responses to HTTP-01 challenges for all instances. They need no lock: the response to a token is the same whoever gives it, because the instances share
 * the account.
 */
export function createSharedResponses({ state, log }: { state: SharedState; log: Log }): SharedResponses {
  return {
    async share(token, keyAuthorization) {
      try {
        await state.write(nameOf(token), keyAuthorization, { ttlMs: keptMs })
      } catch (error) {
        throw new UnsharedError(`the shared state is unavailable: ${messageOf(error)}`, { cause: error })
      }
    },
    unshare(token) {
      state.remove(nameOf(token)).catch((error: unknown) => {
        log.debug('cannot remove a shared challenge, which ends by itself', { error: messageOf(error) })
      })
    },
  }
}

/** Response to a request of the CA that another instance published; undefined if there is none. `request`: path of the request. */
export async function findResponse(state: Pick<SharedState, 'read'>, request: string): Promise<string | undefined> {
  const [, token] = path.exec(request) ?? []
  return token === undefined ? undefined : (await state.read(nameOf(token)))?.value
}
