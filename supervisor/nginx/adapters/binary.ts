import { existsSync, readFileSync } from 'node:fs'

/**
 * Tells which directives an nginx knows by the words in its file: `nginx -V` tells its modules only, and distributions port
 * directives back to older versions. One that cannot be read, or is a script, seems to know none.
 */
export function readDirectives(folders: readonly string[]): (name: string) => boolean {
  const binary = readFirst(folders.map(folder => `${folder}/nginx`))
  return name => binary?.includes(`\0${name}\0`, 0, 'latin1') ?? false
}

function readFirst(files: readonly string[]): Buffer | undefined {
  const file = files.find(existsSync)
  try {
    return file === undefined ? undefined : readFileSync(file)
  } catch {
    return undefined // what is asked for is left out of the configuration
  }
}
