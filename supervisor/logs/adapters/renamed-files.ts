import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { outdatedFiles, renamedAs, renamedAt, renamedFiles } from '../rotation-names.ts'

/** Time in which a program may still write to a file that was renamed. */
const settleMs = 5000

/** Path for a file that is renamed now, which no other file has. */
export function freePath(directory: string, kind: string, now: number): string {
  const path = join(directory, renamedAs(kind, now))
  return existsSync(path) || existsSync(`${path}.gz`) ? freePath(directory, kind, now + 1) : path
}

/** Renames a file of another program if it is large. Returns whether it did. */
export async function renameLarge(
  directory: string,
  kind: string,
  { maxBytes, now }: { maxBytes: number; now: number },
): Promise<boolean> {
  const path = join(directory, `${kind}.log`)
  const found = await stat(path).catch(() => undefined)
  if (!found || found.size < maxBytes) return false
  await rename(path, freePath(directory, kind, now))
  return true
}

/** Removes renamed files that are too many or too old, and compresses the others. */
export async function tidyRenamed(
  directory: string,
  kinds: readonly string[],
  limits: { keep: number; maxAgeMs: number | undefined; now: number; compress: boolean },
): Promise<void> {
  const names = await readdir(directory)
  for (const kind of kinds) {
    const files = renamedFiles(kind, names)
    const outdated = new Set(outdatedFiles(files, limits))
    for (const name of outdated) await rm(join(directory, name), { force: true })
    if (!limits.compress) continue
    for (const name of files) {
      const isSettled = limits.now - renamedAt(name) >= settleMs
      if (!outdated.has(name) && isSettled && !name.endsWith('.gz')) await compress(join(directory, name))
    }
  }
}

async function compress(path: string): Promise<void> {
  const unfinished = `${path}.gz.tmp`
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { mode: 0o640 }))
    await rename(unfinished, `${path}.gz`)
    await rm(path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}
