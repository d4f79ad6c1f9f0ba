import { quote } from './text.ts'

/** The user's nginx files by absolute path, as they were read with the configuration. */
export type OwnFiles = ReadonlyMap<string, string>

/** Directory of the copies in a generation. */
const copies = 'own'

/** Name of the copy of a file in a generation: a later edit of the file changes nothing until the next reload. */
function copyOf(path: string): string {
  return `${copies}${path}`
}

/** Whether a file of a generation is such a copy. It may contain secrets that the original's mode protects. */
export function isCopy(name: string): boolean {
  return name.startsWith(`${copies}/`)
}

/** Files of a generation with the copies, by name. */
export function renderCopies(files: OwnFiles): [string, string][] {
  return [...files].map(([path, text]) => [copyOf(path), text])
}

/** Directive that includes the copy of a file, or of the files that match a pattern. */
export function includeOwn(path: string): string {
  return `include ${quote(copyOf(path))};`
}

/** nginx's output with the paths of the originals. */
export function nameOriginals(line: string): string {
  return line.replace(/ own(?=\/\S*:\d+)/g, ' ')
}

/** Whether one of the texts has a Lua filter or logger of responses. nginx runs one of each in a location, the innermost. */
export function filtersWithLua(texts: Iterable<string>): boolean {
  return [...texts].some(text => /\b(header_filter|body_filter|log)_by_lua/.test(text.replaceAll(/#.*/g, '')))
}
