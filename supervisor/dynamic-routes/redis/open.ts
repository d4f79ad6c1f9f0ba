import type { Runtime } from '../../base/runtime.ts'
import { linkOpener, linkTarget } from '../../shared-state/redis/adapters/open-link.ts'
import { formatRedisUrl, readRedisUrl } from '../../shared-state/redis/url.ts'
import type { StoreKeys, StoreOpening } from '../store-opening.ts'
import { createRedisRoutes, type RedisRoutes } from './store.ts'

/** About as many as nginx keeps, with 150 bytes each. */
const mostNames = { routes: 500_000, others: 50_000 }

/** Store in Redis. It connects when it is opened, and does not wait for that. */
export function prepareRedisStore(keys: StoreKeys, runtime: Runtime): StoreOpening {
  const { prefix = '' } = keys
  const reading = readRedisUrl(keys.store)
  if (!reading.ok) throw new Error(`dynamic_routes.store ${reading.problem}`)
  const url = reading.value
  let store: RedisRoutes | undefined
  return {
    isInMemory: false,
    open(onChange) {
      store = createRedisRoutes({
        ...runtime,
        // a replica nearby can be read
        open: linkOpener(linkTarget(url, keys, { prefix, needsMaster: false })),
        address: formatRedisUrl(url),
        prefix,
        staleForMs: keys.stale_for,
        limits: mostNames,
        onChange,
      })
      return store
    },
    follow: () => ({
      async close() {
        await store?.close()
      },
    }),
  }
}
