import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Complain } from '../../../config/report.ts'
import { bytesOf } from '../cache.ts'

/** Keys of the size and location of caches. */
interface CacheSpaceKeys {
  cache?: { max_size: string } | undefined
  routes: readonly { settings: { cache?: { max_size: string } | 'off' | undefined } }[]
  run_dir: string
}

/** Reports caches that are larger than their file system. A full one, possibly that of /run, would make nginx fail requests. */
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
  const { blocks, bsize } = statfsSync(existingDirectory(run_dir))
  const room = blocks * bsize
  if (sum < room) return
  const together = caches.length > 1 ? 'is too large together with the other caches' : 'is too large'
  complain(
    largest.key,
    largest.size,
    `${together}: the file system of run_dir (${run_dir}) has ${Math.floor(room / 2 ** 20)}m`,
    `lower ${largest.key}, or put run_dir on a larger file system`,
  )
}

function existingDirectory(path: string): string {
  return existsSync(path) ? path : existingDirectory(dirname(path))
}
