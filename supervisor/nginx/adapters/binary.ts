import { existsSync, readFileSync } from 'node:fs'

/**
 * Test for directives of the first nginx in `directories`, by the strings in its binary: `nginx -V` only lists modules, and distributions
 * backport directives to older versions. An unreadable binary, or a script, seems to have none.
 */
export function readDirectives(directories: readonly string[]): (name: string) => boolean {
  const binary = readFirst(directories.map(directory => `${directory}/nginx`))
  return name => binary?.includes(`\0${name}\0`, 0, 'latin1') ?? false
}

function readFirst(files: readonly string[]): Buffer | undefined {
  const file = files.find(existsSync)
  try {
    return file === undefined ? undefined : readFileSync(file)
  } catch {
    return undefined // the configuration then omits such directives
  }
}
