import { join } from 'node:path'
import type { Outcome } from '../domain/command.ts'
import { cacheFolder, isUnder } from '../domain/nginx-cache.ts'
import type { Parts } from './parts.ts'
import type { Settings } from './settings.ts'

/** Before nginx starts. */
export async function removeOldCache({ config }: Settings): Promise<void> {
  if (!config.cache) return
  const { removeCache } = await import('../adapters/cache-files.ts')
  await removeCache(cacheFolder(join(config.run_dir, 'nginx')))
}

/** Deletes answers from nginx's cache: all, or those under a prefix of their path or key. */
export async function purgeCache({ settings }: Parts, prefix = ''): Promise<Outcome> {
  const { cache, run_dir } = settings.config
  if (!cache) return { ok: false, message: 'command refused', reason: 'there is no cache: the key cache is not set' }
  const { deleteCached } = await import('../adapters/cache-files.ts')
  const deleted = await deleteCached(cacheFolder(join(run_dir, 'nginx')), key => isUnder(key, prefix))
  return { ok: true, message: `${deleted} ${deleted === 1 ? 'answer' : 'answers'} purged from the cache` }
}
