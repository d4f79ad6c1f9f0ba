import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../../base/errors.ts'
import { isCacheDirectory } from '../cache.ts'

/** Bytes to read from a file: nginx's own header, and enough of the key. */
const headBytes = 8192
const cached = /^[0-9a-f]{32}$/

/**
 * Deletes the cached responses in nginx's working directory whose key matches, and returns their number. nginx treats a missing file as a
 * miss. Each file contains its key in a separate line after a binary header.
 */
export async function deleteCached(directory: string, matches: (key: string) => boolean): Promise<number> {
  let deleted = 0
  const entries = await Promise.all(
    (await cachesIn(directory)).map(cache => readdir(cache, { recursive: true, withFileTypes: true })),
  )
  for (const entry of entries.flat()) {
    if (!entry.isFile() || !cached.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const key = await readKey(path)
    if (key === undefined || !matches(key)) continue
    await rm(path, { force: true })
    deleted += 1
  }
  return deleted
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

/** Key of a cached response; undefined if nginx has removed the file in the meantime, or if it is not a response. */
async function readKey(path: string): Promise<string | undefined> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
      return /\nKEY: ([^\n]*)/.exec(buffer.subarray(0, bytesRead).toString('latin1'))?.[1]
    } finally {
      await file.close()
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
