const space = /[ \t\n\r]*/y

/**
 * Entries of an object in JSON whose values are all texts, without escapes anywhere, as `JSON.parse` reads them, several times as fast for a
 * million of them. Undefined for any other text.
 */
export function readFlatObject(text: string): Map<string, string> | undefined {
  const entries = new Map<string, string>()
  let at = 0
  let found = ''

  /** Skips a character, and the space before and after it. */
  function skip(character: string): boolean {
    skipSpace()
    if (text[at] !== character) return false
    at++
    skipSpace()
    return true
  }

  function skipSpace(): void {
    // most texts have a space or none
    if (text.charCodeAt(at) > 0x20) return
    space.lastIndex = at
    space.test(text)
    at = space.lastIndex
  }

  function readText(): boolean {
    if (text[at] !== '"') return false
    const end = text.indexOf('"', at + 1)
    if (end === -1) return false
    found = text.slice(at + 1, end)
    at = end + 1
    // escapes, and characters that JSON forbids
    return !/[\\\0-\x1f]/.test(found)
  }

  if (!skip('{')) return undefined
  do {
    if (!readText()) return undefined
    const key = found
    if (!skip(':') || !readText()) return undefined
    entries.set(key, found)
  } while (skip(','))
  return skip('}') && at === text.length ? entries : undefined
}
