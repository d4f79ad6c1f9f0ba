import { readdir as readFolder, stat as readStat, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../errors.ts'

// node:fs/promises would be another half megabyte
const readdir = promisify(readFolder)
const stat = promisify(readStat)

/**
 * A text that changes whenever a file of interest in the folder, or in a folder in it, does. Links are followed, so that Kubernetes'
 * exchange of `..data` shows. It does not block, even when the folder is on a network that is gone.
 */
export async function signFolder(folder: string, isOfInterest: (name: string) => boolean, depth = 1): Promise<string> {
  try {
    const names = (await readdir(folder)).filter(name => !name.startsWith('.')).sort()
    const parts = await Promise.all(names.map(name => signEntry(join(folder, name), isOfInterest, depth)))
    return parts.filter(part => part !== '').join('\n')
  } catch (error) {
    return errnoOf(error) ?? 'unreadable'
  }
}

/** The same for a single file, whatever it is called. */
export async function signFile(path: string): Promise<string> {
  try {
    return describe('', await stat(path))
  } catch (error) {
    return errnoOf(error) ?? 'unreadable'
  }
}

async function signEntry(path: string, isOfInterest: (name: string) => boolean, depth: number): Promise<string> {
  const name = basename(path)
  try {
    const entry = await stat(path)
    if (!entry.isDirectory() && !isOfInterest(name)) return ''
    if (entry.isDirectory()) return `${name}/${depth > 0 ? await signFolder(path, isOfInterest, depth - 1) : ''}`
    return describe(name, entry)
  } catch (error) {
    return `${name} ${errnoOf(error)}`
  }
}

function describe(name: string, { ino, size, mtimeMs, ctimeMs, mode }: Stats): string {
  return [name, ino, size, mtimeMs, ctimeMs, mode].join(' ')
}
