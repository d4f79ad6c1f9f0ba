export type SplitResult = { ok: true; words: string[] } | { ok: false; problem: string }

/**
 * Splits a command as a POSIX shell splits words (quotes and backslashes), without a shell to run it.
 * What only a shell could do is named as a problem; `$PORT` is left for the spawner to fill in.
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
