import { join } from 'node:path'
import type { Outcome } from '../../base/outcome.ts'
import { hasCaches } from './adapters/presence.ts'
import { isUnder } from './cache.ts'

/** Keys that determine whether there is a cache. */
export interface CacheKeys {
  cache?: object | undefined
  routes: readonly { settings: { cache?: object | 'off' | undefined } }[]
}

/** Removes the caches of earlier runs, whose app may have been another. Call it before nginx starts. */
export async function removeOldCache(config: { run_dir: string }): Promise<void> {
  const directory = join(config.run_dir, 'nginx')
  // most runs have none, and need not load what removes them
  if (hasCaches(directory)) await (await import('./adapters/files.ts')).removeCaches(directory)
}

/** Invalidates responses in nginx's caches: all, or those with a prefix of their path or key. */
export async function purgeCache(
  { config }: { config: CacheKeys & { run_dir: string } },
  prefix = '',
): Promise<Outcome> {
  if (!hasCache(config))
    return { ok: false, message: 'command refused', reason: 'there is no cache: the key cache is not set' }
  const { invalidateCached } = await import('./adapters/files.ts')
  const purged = await invalidateCached(join(config.run_dir, 'nginx'), key => isUnder(key, prefix))
  return { ok: true, message: `${purged} ${purged === 1 ? 'response' : 'responses'} purged from the cache` }
}

function hasCache({ cache, routes }: CacheKeys): boolean {
  return [cache, ...routes.map(({ settings }) => settings.cache)].some(value => (value ?? 'off') !== 'off')
}
