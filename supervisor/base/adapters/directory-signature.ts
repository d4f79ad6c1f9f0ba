import { readdir as readDirectory, stat as readStat, type Stats, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../errors.ts'

// loading node:fs/promises would cost half a megabyte of memory
const readdir = promisify(readDirectory)
const stat = promisify(readStat)

/**
 * Text that changes whenever a file of interest in a directory, or in a directory inside it, changes. Links are followed, so that
 * Kubernetes' replacement of `..data` is seen. Never blocks, even if the directory is on a network share that is unavailable.
 */
export async function signDirectory(
  directory: string,
  isOfInterest: (name: string) => boolean,
  depth = 1,
): Promise<string> {
  try {
    const names = (await readdir(directory)).filter(name => !name.startsWith('.')).sort()
    const parts = await Promise.all(names.map(name => signEntry(join(directory, name), isOfInterest, depth)))
    return parts.filter(part => part !== '').join('\n')
  } catch (error) {
    return errnoOf(error) ?? 'unreadable'
  }
}

/** The same for a single file with any name. */
export async function signFile(path: string): Promise<string> {
  try {
    return describe('', await stat(path))
  } catch (error) {
    return errnoOf(error) ?? 'unreadable'
  }
}

/** Difference between two changes that have the same time, in ms: the kernel's clock for files is coarse. */
const coarseMs = 1000

/**
 * Text that changes whenever an entry of these directories is added or removed, and costs much less than to read them. Undefined if one does
 * not exist, or was changed just now, so that another change would not show. Blocks: not for network shares.
 */
export function signDirectories(paths: readonly string[]): string | undefined {
  try {
    const found = paths.map(path => statSync(path))
    if (found.some(({ mtimeMs }) => Math.abs(Date.now() - mtimeMs) < coarseMs)) return undefined
    return found.map(({ ino, mtimeMs }) => `${ino} ${mtimeMs}`).join('\n')
  } catch {
    return undefined
  }
}

async function signEntry(path: string, isOfInterest: (name: string) => boolean, depth: number): Promise<string> {
  const name = basename(path)
  try {
    const entry = await stat(path)
    if (!entry.isDirectory() && !isOfInterest(name)) return ''
    if (entry.isDirectory()) return `${name}/${depth > 0 ? await signDirectory(path, isOfInterest, depth - 1) : ''}`
    return describe(name, entry)
  } catch (error) {
    return `${name} ${errnoOf(error)}`
  }
}

function describe(name: string, { ino, size, mtimeMs, ctimeMs, mode }: Stats): string {
  return [name, ino, size, mtimeMs, ctimeMs, mode].join(' ')
}
