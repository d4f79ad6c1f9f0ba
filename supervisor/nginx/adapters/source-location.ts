import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** What nginx looks for when it has read everything, and tells no place of, or that of the end. */
const complaints: [RegExp, (name: string) => string][] = [
  [/ unknown "(\w+)" variable$/, name => `\\$(?:${name}\\b|\\{${name}\\})`],
  [/ zero size shared memory zone "([\w.-]+)"$/, name => `\\blimit_(?:req|conn)\\s.*\\b${name}\\b`],
  [/ "proxy_cache" zone "([\w.-]+)" is unknown(?= in )/, name => `\\bproxy_cache\\s+${name}\\b`],
]

/** What nginx said, with the place of what it is about; `folder`: of the configuration. */
export function withSourceLocation(line: string, folder: string): string {
  for (const [form, use] of complaints) {
    const [words, name] = form.exec(line) ?? []
    const place = words !== undefined && name !== undefined && findUse(use(name), folder)
    if (place) return `${line.slice(0, line.indexOf(words) + words.length)} in ${place}`
  }
  return line
}

/** `file:line`, in the files that are included too. */
function findUse(pattern: string, folder: string): string | undefined {
  const use = new RegExp(`^(?!\\s*#).*${pattern}`)
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
