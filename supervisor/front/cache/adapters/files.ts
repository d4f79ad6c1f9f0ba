import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { opendir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { errnoOf } from '../../../base/errors.ts'
import { isCacheDirectory } from '../cache.ts'

/** Bytes to read from a file: nginx's own header, and enough of the key. */
const headBytes = 8192
/** Bytes of the version of nginx's file format, with which a file begins. nginx treats a file of another version as absent. */
const versionBytes = 8
const cached = /^[0-9a-f]{32}$/
/** Files to look at before other work has its turn. */
const batch = 100

/**
 * Invalidates the cached responses in nginx's working directory whose key matches, and returns their number. Each file contains its key
 * in a separate line after a binary header. A file stays until nginx overwrites or removes it: nginx reports files that others delete.
 */
export async function invalidateCached(directory: string, matches: (key: string) => boolean): Promise<number> {
  const head = Buffer.alloc(headBytes)
  let invalidated = 0
  let seen = 0
  for (const cache of await cachesIn(directory)) {
    for await (const entry of await opendir(cache, { recursive: true })) {
      if (!entry.isFile() || !cached.test(entry.name)) continue
      if (invalidate(join(entry.parentPath, entry.name), head, matches)) invalidated += 1
      seen += 1
      if (seen % batch === 0) await setImmediate()
    }
  }
  return invalidated
}

/** Removes all caches in nginx's working directory, because an earlier run may have cached another app. No nginx may use them. */
export async function removeCaches(directory: string): Promise<void> {
  await Promise.all((await cachesIn(directory)).map(cache => rm(cache, { recursive: true, force: true })))
}

async function cachesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(isCacheDirectory).map(name => join(directory, name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Whether a file was valid and is not any more. */
function invalidate(path: string, head: Buffer, matches: (key: string) => boolean): boolean {
  try {
    const file = openSync(path, 'r+')
    try {
      const text = head.toString('latin1', 0, readSync(file, head, 0, headBytes, 0))
      const key = /\nKEY: ([^\n]*)/.exec(text)?.[1]
      const none = Buffer.alloc(versionBytes)
      if (key === undefined || !matches(key) || head.subarray(0, versionBytes).equals(none)) return false
      writeSync(file, none, 0, versionBytes, 0)
      return true
    } finally {
      closeSync(file)
    }
  } catch (error) {
    // nginx has removed it in the meantime
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
