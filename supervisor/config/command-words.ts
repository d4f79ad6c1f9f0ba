/** Words of a command, or the problem that makes it unusable. */
export type SplitResult = { ok: true; words: string[] } | { ok: false; problem: string }

/**
 * Splits a command into words like a POSIX shell, with quotes and backslashes. Syntax that only a shell can execute is a problem.
 * `$PORT` stays in place; the spawner replaces it.
 */
export function splitCommand(text: string): SplitResult {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? ''
    if (quote === "'") {
      if (char === "'") quote = ''
      else word += char
    } else if (char === '\\') {
      const next = text[++index]
      if (next === undefined) return { ok: false, problem: 'ends with a backslash' }
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next)
    } else if (char === quote) {
      quote = ''
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char
      word ??= ''
    } else if (
      char === '`' ||
      (char === '$' && !/^\$(PORT\b|\{PORT\})/.test(text.slice(index)) && /^\$[A-Za-z_{(]/.test(text.slice(index)))
    ) {
      return {
        ok: false,
        problem: `contains ${/^(\$\w+|\$?.)/.exec(text.slice(index))?.[0]}, which only a shell expands`,
      }
    } else if (quote === '' && '|&;<>()'.includes(char)) {
      return { ok: false, problem: `contains the shell operator ${char}` }
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== '') return { ok: false, problem: `has an unclosed ${quote}` }
  if (word !== undefined) words.push(word)
  return words.length > 0 ? { ok: true, words } : { ok: false, problem: 'is empty' }
}
