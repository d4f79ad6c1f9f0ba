import type { RedisLoginKeys } from '../shared-state/redis/login-keys.ts'
import type { OnRoutesChange, RouteStore } from './store.ts'

/** Keys of `dynamic_routes` about the store. */
export interface StoreKeys extends RedisLoginKeys {
  store: string
  prefix?: string | undefined
  /** In ms. */
  stale_for: number
}

/** Store that is about to be opened. */
export interface StoreOpening {
  /** Whether all its routes are in memory, so that they can be checked at any time. */
  readonly isInMemory: boolean
  /** Called once. */
  open(onChange: OnRoutesChange): RouteStore
  /** Follows the changes of other programs from now on. `report` is called when all routes were read again. */
  follow(report: () => Promise<void>): { close(): Promise<void> }
}
