import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Complain } from '../../../config/report.ts'
import { bytesOf } from '../cache.ts'

/** Keys that say how large caches may grow, and where they are. */
interface CacheSpaceKeys {
  cache?: { max_size: string } | undefined
  routes: readonly { settings: { cache?: { max_size: string } | 'off' | undefined } }[]
  run_dir: string
}

/** A file system that a cache fills up has nginx answer with nothing, and on a host it may be that of /run. */
export function checkCacheRoom({ cache, routes, run_dir }: CacheSpaceKeys, complain: Complain): void {
  const caches = [
    ...(cache ? [{ key: 'cache.max_size', size: cache.max_size }] : []),
    ...routes.flatMap(({ settings: { cache } }, index) =>
      cache && cache !== 'off' ? [{ key: `routes.${index}.cache.max_size`, size: cache.max_size }] : [],
    ),
  ]
  const [largest] = caches.toSorted((one, other) => bytesOf(other.size) - bytesOf(one.size))
  if (!largest) return
  const sum = caches.reduce((bytes, { size }) => bytes + bytesOf(size), 0)
  const { blocks, bsize } = statfsSync(nearestFolder(run_dir))
  const room = blocks * bsize
  if (sum < room) return
  const together = caches.length > 1 ? 'is too much with that of the other caches' : 'is too much'
  complain(
    largest.key,
    largest.size,
    `${together}: the file system of run_dir (${run_dir}) holds ${Math.floor(room / 2 ** 20)}m`,
    `set ${largest.key} lower, or give run_dir more room`,
  )
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path))
}
