import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Messages of checks that nginx runs at the end, so that they name no source location or only the end of a file, each with a pattern for the faulty line. */
const complaints: [RegExp, (name: string) => string][] = [
  [/ unknown "(\w+)" variable$/, name => `\\$(?:${name}\\b|\\{${name}\\})`],
  [/ zero size shared memory zone "([\w.-]+)"$/, name => `\\blimit_(?:req|conn)\\s.*\\b${name}\\b`],
  [/ "proxy_cache" zone "([\w.-]+)" is unknown(?= in )/, name => `\\bproxy_cache\\s+${name}\\b`],
]

/** Line of nginx's output with the source location that it lacks. `directory` is that of the configuration. */
export function withSourceLocation(line: string, directory: string): string {
  for (const [form, use] of complaints) {
    const [words, name] = form.exec(line) ?? []
    const location = words !== undefined && name !== undefined && findUse(use(name), directory)
    if (location) return `${line.slice(0, line.indexOf(words) + words.length)} in ${location}`
  }
  return line
}

/** First `file:line` that matches, in nginx.conf and all included files. */
function findUse(pattern: string, directory: string): string | undefined {
  const use = new RegExp(`^(?!\\s*#).*${pattern}`)
  for (const file of includedFiles(directory)) {
    const index = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex(line => use.test(line))
    if (index >= 0) return `${file}:${index + 1}`
  }
  return undefined
}

/** nginx.conf and all included files, each once. */
function includedFiles(directory: string): Set<string> {
  const files = new Set([join(directory, 'nginx.conf')])
  // the loop also visits files that it adds
  for (const file of files) {
    const included = readFileSync(file, 'utf8').matchAll(/^(?!\s*#).*?\binclude\s+["']?([^"';]+)["']?\s*;/gm)
    for (const [, pattern = ''] of included) {
      for (const found of filesOf(resolve(directory, pattern))) if (statSync(found).isFile()) files.add(found)
    }
  }
  return files
}

/** Files that match an include pattern with `*` and `?` in its last part. */
function filesOf(pattern: string): string[] {
  const name = basename(pattern)
  const directory = dirname(pattern)
  if (!/[*?]/.test(name)) return [pattern]
  const expression = name
    .replace(/[.+^$()[\]{}|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return (existsSync(directory) ? readdirSync(directory) : [])
    .filter(file => new RegExp(`^${expression}$`).test(file))
    .map(file => join(directory, file))
}
