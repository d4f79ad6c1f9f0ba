import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Sources by path relative to their folder: `domain/exit.ts`. */
export type Sources = ReadonlyMap<string, string>

export interface Import {
  from: string
  /** Path of a source, or the name of a module of Node or of a package as it is written. */
  to: string
}

export function readSources(folder: string): Sources {
  const paths = globSync('**/*.ts', { cwd: folder }).sort()
  return new Map(paths.map(path => [path, readFileSync(join(folder, path), 'utf8')]))
}

/** Code without comments, so that what they mention is no import. */
export function withoutComments(text: string): string {
  const commentOrString = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replaceAll(commentOrString, found => (/^\/[/*]/.test(found) ? ' ' : found))
}

/** What a text imports: static, re-exported, dynamic and type imports, and require. */
export function specifiersOf(text: string): string[] {
  const code = withoutComments(text)
  const patterns = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]\s*[),]/g,
  ]
  const computed = /\bimport\s*\(\s*(?!['"`\s])/.test(code) ? ['a computed import'] : []
  return [...patterns.flatMap(pattern => [...code.matchAll(pattern)].map(match => match[1] ?? '')), ...computed]
}

export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) =>
    specifiersOf(text).map(specifier => ({
      from,
      to: specifier.startsWith('.') ? relative('/', join('/', from, '..', specifier)) : specifier,
    })),
  )
}

/** Circles of imports, each named once: `a.ts → b.ts → a.ts`. */
export function findCircles(imports: readonly Import[]): string[] {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, trail: string[]): void => {
    const start = trail.indexOf(file)
    if (start !== -1) circles.push([...trail.slice(start), file].join(' → '))
    if (start !== -1 || done.has(file)) return
    for (const { from, to } of imports) if (from === file) visit(to, [...trail, file])
    done.add(file)
  }
  for (const { from } of imports) visit(from, [])
  return circles
}
