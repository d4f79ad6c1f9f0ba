import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { OwnFiles } from '../own-files.ts'

/** Directories of snippets that every configuration includes. */
const included = ['http.d', 'server.d']

/** Paths of the snippets in a directory, in nginx's order. */
export function findSnippets(directory: string): string[] {
  return included.flatMap(name => {
    const parent = join(directory, name)
    if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return []
    const names = readdirSync(parent).filter(file => file.endsWith('.conf') && !file.startsWith('.'))
    return names.sort().map(file => join(parent, file))
  })
}

/** Texts of the user's nginx files. Reports those that cannot be read. */
export function readOwnFiles(paths: readonly string[], complain: (path: string, problem: string) => void): OwnFiles {
  const files = new Map<string, string>()
  for (const path of paths) {
    try {
      // reading a pipe could take for ever
      if (statSync(path).isFile()) files.set(path, readFileSync(path, 'utf8'))
      else complain(path, 'is not a file')
    } catch (error) {
      complain(path, `cannot be read: ${errnoOf(error)}`)
    }
  }
  return files
}
