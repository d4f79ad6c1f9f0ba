import type { Runtime } from '../../base/runtime.ts'
import type { RedisLink } from '../../shared-state/redis/link.ts'
import type { Call } from './key-reader.ts'
import { scanKeys } from './scan.ts'

/** Watch for a server that comes back without its data. */
export interface Loss {
  /** The connection is lost. */
  noteDown(): void
  /** A connection is established. `hasRoutes`: whether any route was known before. */
  noteUp(link: RedisLink, hasRoutes: boolean): Promise<void>
  /** Someone has deleted all data on purpose. */
  end(): void
  /** Reason why the missing key of a name does not mean that its route was removed; undefined if it does. */
  reason(): string | undefined
  /** Notes that a name had a key after the restart. */
  noteKey(name: string): void
  /** Whether that was noted since the restart: if its key is missing now, it was removed. */
  hadKey(name: string): boolean
}

/** Dependencies. */
export interface LossDeps extends Pick<Runtime, 'clock' | 'log'> {
  address: string
  prefix: string
  /** Time after the loss of the connection for which nothing is concluded from missing keys. */
  staleForMs: number
  /** Called when that time is over. */
  onEnd(): void
}

/** Watch that takes a restarted server without a single key below the prefix for one that has lost its data (docs/decisions/068-an-empty-redis.md). */
export function createLoss({ clock, log, address, prefix, staleForMs, onEnd }: LossDeps): Loss {
  let runId = ''
  let downSinceMs = 0
  let cancel: (() => void) | undefined
  const written = new Set<string>()

  function begin(): void {
    const remainingMs = downSinceMs + staleForMs - clock.monotonic()
    if (remainingMs <= 0) return
    log.error('Redis was restarted and has lost all dynamic routes', {
      store: address,
      meanwhile: `hosts that nginx knows are served for ${Math.ceil(remainingMs / 1000)} s, others get 503`,
      fix: 'write the routes again; to keep them across restarts, set appendonly yes in redis.conf',
    })
    cancel?.()
    written.clear()
    cancel = clock.after(remainingMs, () => {
      cancel = undefined
      written.clear()
      log.warn('dynamic routes that were not written again to Redis end now', { store: address })
      onEnd()
    })
  }

  return {
    noteDown() {
      downSinceMs = clock.monotonic()
    },
    async noteUp(link, hasRoutes) {
      const wasRestarted = runId !== '' && runId !== link.runId
      runId = link.runId
      if (wasRestarted && hasRoutes && (await isEmpty(link.call, prefix))) begin()
    },
    end() {
      cancel?.()
      cancel = undefined
      written.clear()
    },
    noteKey(name) {
      if (cancel) written.add(name)
    },
    hadKey: name => written.has(name),
    reason: () => (cancel ? 'Redis was restarted and has lost all routes' : undefined),
  }
}

async function isEmpty(call: Call, prefix: string): Promise<boolean> {
  if (Number(await call(['DBSIZE'])) === 0) return true
  for await (const keys of scanKeys(call, prefix, '*')) if (keys.length > 0) return false
  return true
}
