import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../../base/errors.ts'
import { isCacheDirectory } from '../cache.ts'

/** nginx's own header in front of the key; as much of the key as matters comes within the rest. */
const headBytes = 8192
const cached = /^[0-9a-f]{32}$/

/**
 * Deletes the answers in the caches in nginx's folder whose key is meant, and tells how many. nginx takes a missing file for a
 * miss. Each file holds its key in a line of its own, after a binary header.
 */
export async function deleteCached(folder: string, isMeant: (key: string) => boolean): Promise<number> {
  let deleted = 0
  const entries = await Promise.all(
    (await cachesIn(folder)).map(cache => readdir(cache, { recursive: true, withFileTypes: true })),
  )
  for (const entry of entries.flat()) {
    if (!entry.isFile() || !cached.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const key = await readKey(path)
    if (key === undefined || !isMeant(key)) continue
    await rm(path, { force: true })
    deleted += 1
  }
  return deleted
}

/** Removes the caches in nginx's folder, as long as no nginx uses it: what an earlier run has kept may be of another app by now. */
export async function removeCaches(folder: string): Promise<void> {
  await Promise.all((await cachesIn(folder)).map(cache => rm(cache, { recursive: true, force: true })))
}

async function cachesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isCacheDirectory).map(name => join(folder, name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Undefined when nginx has removed the file meanwhile, or it is no answer. */
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
