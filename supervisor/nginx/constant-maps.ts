/** A map of nginx: its source as written, and its entries as written. */
interface NginxMap {
  source: string
  entries: ReadonlyMap<string, string>
}

/** `map SOURCE $NAME { ENTRIES }`, in one line or with the closing brace in a line of its own. */
const mapPattern = /^map (\S+|"[^"]*") \$(\w+) \{(?: (.*) |\n([\s\S]*?)\n)\}$/gm
const entryPattern = /^\s*("[^"]*"|'[^']*'|[^\s;]+)\s+("[^"]*"|'[^']*'|[^\s;"']+);\s*$/
const variablePattern = /\$(?:\{(\w+)\}|(\w+))/g

/**
 * nginx files in which a variable is replaced by the value that its map gives it for every request. Each map costs a request a third of a
 * microsecond, and many are constant in a given configuration. The maps stay, for Lua and the user's files, and cost nothing when unused.
 * Files are by name; those that `isOwn` accepts are the user's, and stay as they are.
 */
export function inlineConstants(
  files: ReadonlyMap<string, string>,
  isOwn: (name: string) => boolean,
): Map<string, string> {
  // one file of media types is half of the text, and has no variable
  const configuration = [...files].filter(
    ([name, text]) => (name.endsWith('.conf') || isOwn(name)) && (text.includes('$') || text.includes('include ')),
  )
  const included = new Set(
    configuration.flatMap(([, text]) => [...text.matchAll(/^\s*include (\S+);/gm)].map(([, name]) => name)),
  )
  const constants = findConstants(
    configuration.filter(([name]) => included.has(name) || isOwn(name)).map(([, text]) => text),
    findAssigned(files),
  )
  const inlined = configuration.map(([name, text]): [string, string] => [
    name,
    isOwn(name) ? text : inline(text, constants),
  ])
  return new Map([...files, ...inlined])
}

/** Variables that a location or Lua may set to something else than its map. */
function findAssigned(files: ReadonlyMap<string, string>): string[] {
  const pattern = /\b(?:set|set_by_lua_block|auth_request_set) \$(\w+)|\bngx\.var\.(\w+) = /g
  return [...files.values()].flatMap(text => [...text.matchAll(pattern)].map(([, set, byLua]) => set ?? byLua ?? ''))
}

/** Values by variable, without quotes. */
function findConstants(texts: readonly string[], assigned: readonly string[]): ReadonlyMap<string, string> {
  const maps = new Map<string, NginxMap | undefined>()
  for (const text of texts)
    for (const [, source = '', name = '', line, block] of text.matchAll(mapPattern))
      maps.set(name, maps.has(name) ? undefined : { source, entries: readEntries(line ?? block ?? '') })
  for (const name of assigned) maps.delete(name)

  const constants = new Map<string, string>()
  const pending = new Set(maps.keys())
  function resolve(name: string): void {
    if (!pending.delete(name)) return
    const map = maps.get(name)
    if (!map) return
    for (const used of variablesIn(map.source)) resolve(used)
    const source = replaceAll(unquote(map.source), constants)
    const value = source.includes('$') ? undefined : valueFor(source, map.entries)
    if (value === undefined) return
    for (const used of variablesIn(value)) resolve(used)
    const text = replaceAll(value, constants)
    if (/^[^\s"';{}\\]*$/.test(text)) constants.set(name, text)
  }
  for (const name of maps.keys()) resolve(name)
  return constants
}

/** Entries of a map; empty if one of them is not understood. */
function readEntries(body: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const statement of body.replaceAll(/^\s*#.*$/gm, '').match(/(?:"[^"]*"|'[^']*'|[^;"'])+;/g) ?? []) {
    const [, key, value] = entryPattern.exec(statement.replaceAll('\n', ' ')) ?? []
    if (key === undefined || value === undefined) return new Map()
    entries.set(unquote(key).toLowerCase(), unquote(value))
  }
  return entries
}

/** Value of a map for a literal source; undefined if a regular expression might match it. */
function valueFor(source: string, entries: ReadonlyMap<string, string>): string | undefined {
  const exact = entries.get(source.toLowerCase())
  if (exact !== undefined && source !== 'default') return exact
  return [...entries.keys()].some(key => key.startsWith('~')) ? undefined : entries.get('default')
}

function inline(text: string, constants: ReadonlyMap<string, string>): string {
  if (constants.size === 0) return text
  // their names alone: with ten thousand routes there are a hundred thousand variables
  const names = [...constants.keys()].join('|')
  return text.replaceAll(
    new RegExp(`\\$(?:\\{(${names})\\}|(${names})\\b)`, 'g'),
    (written, braced, bare, at: number) => {
      const value = constants.get(braced ?? bare) ?? ''
      const before = text[at - 1] ?? '\n'
      const after = text.slice(at + written.length, at + written.length + 2)
      // the name that a map defines, or a condition, which must be a variable
      if (after === ' {' || before === '(') return written
      if (value === '') return /\s/.test(before) && /^[\s;]/.test(after) && !isQuoted(text, at) ? "''" : ''
      // the name of a variable at the end of the value must not grow
      return /\$\w+$/.test(value) && /^\w/.test(after) ? value.replace(/\$(\w+)$/, '$${$1}') : value
    },
  )
}

/** Whether a position is inside a quoted string. No string has more than a line. */
function isQuoted(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  return !/^(?:[^"']|"[^"]*"|'[^']*')*$/.test(line)
}

function replaceAll(text: string, constants: ReadonlyMap<string, string>): string {
  return text.replaceAll(variablePattern, (written, braced, bare) => constants.get(braced ?? bare) ?? written)
}

function variablesIn(text: string): string[] {
  return [...text.matchAll(variablePattern)].map(([, braced, bare]) => braced ?? bare ?? '')
}

function unquote(token: string): string {
  return /^(["']).*\1$/s.test(token) ? token.slice(1, -1) : token
}
