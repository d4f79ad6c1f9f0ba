import type { AccountStore } from './adapters/account.ts'
import type { AcmeStore, Neighbours, Peers, SharedResponses } from './authority.ts'
import type { AcmeSettings } from './plan.ts'

/** What instances share about certificates, in a directory or in Redis. */
export interface Sharing {
  /** Other instances with the same directory; undefined if it is not the directory that is shared. */
  neighbours?: Neighbours | undefined
  responses: SharedResponses
  /** Account that all instances use. `local`: that in `state_dir`. */
  account(local: AccountStore, directory: string): AccountStore
  /** Instances that order the certificates of a store. `kind`: which of the stores it is. */
  peersOf(kind: 'configured' | 'on-demand', store: AcmeStore, settings: AcmeSettings): Peers
  /** Reads what others have; undefined if that is not needed before the first order. Settles within seconds. */
  begin?(): Promise<void>
  close(): void | Promise<void>
}

/** Sharing with neighbours, which use the same files. */
export function shareWithNeighbours(neighbours: Neighbours): Sharing {
  return {
    neighbours,
    responses: neighbours,
    account: local => local,
    peersOf: () => neighbours,
    close: neighbours.close,
  }
}
