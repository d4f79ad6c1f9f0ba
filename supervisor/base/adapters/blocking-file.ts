import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Path of the file that stands where a directory or one of its parents should be; undefined if there is none. */
export function findBlockingFile(directory: string): string | undefined {
  try {
    // nothing also if a parent is a file
    const found = statSync(directory, { throwIfNoEntry: false })
    if (found) return found.isDirectory() ? undefined : directory
  } catch {
    return undefined // whoever uses the directory reports it
  }
  const parent = dirname(directory)
  return parent === directory ? undefined : findBlockingFile(parent)
}
