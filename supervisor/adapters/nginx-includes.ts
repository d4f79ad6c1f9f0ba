import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** `file:line` of a use of a variable in the nginx configuration of a folder, files that it includes too. */
export function findVariable(name: string, folder: string): string | undefined {
  const use = new RegExp(`^(?!\\s*#).*\\$(?:${name}\\b|\\{${name}\\})`)
  for (const file of includedFiles(folder)) {
    const index = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex(line => use.test(line))
    if (index >= 0) return `${file}:${index + 1}`
  }
  return undefined
}

/** Each file once, nginx.conf first. */
function includedFiles(folder: string): Set<string> {
  const files = new Set([join(folder, 'nginx.conf')])
  // what is added is visited too
  for (const file of files) {
    const included = readFileSync(file, 'utf8').matchAll(/^(?!\s*#).*?\binclude\s+["']?([^"';]+)["']?\s*;/gm)
    for (const [, pattern = ''] of included) {
      for (const found of filesOf(resolve(folder, pattern))) if (statSync(found).isFile()) files.add(found)
    }
  }
  return files
}

/** In their names nginx takes `*` and `?` for others. */
function filesOf(pattern: string): string[] {
  const name = basename(pattern)
  const folder = dirname(pattern)
  if (!/[*?]/.test(name)) return [pattern]
  const expression = name
    .replace(/[.+^$()[\]{}|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return (existsSync(folder) ? readdirSync(folder) : [])
    .filter(file => new RegExp(`^${expression}$`).test(file))
    .map(file => join(folder, file))
}
