/** Words of a command, or the problem that makes it unusable. */
export type SplitResult = { ok: true; words: string[] } | { ok: false; problem: string }

/** How a command names a shell: as a list in the file, as a text in a variable. */
export const shellForm = '[sh, -c, "…"], or sh -c \'…\' in a variable'

/** Parameters that a shell expands: `$NAME`, `${NAME}`, `$(…)`, `$@`, `$1`. */
const parameter = /^\$([A-Za-z_]\w*|[{(@*#?$!0-9-])/
const portParameter = /^\$(PORT\b|\{PORT\})/

/**
 * Splits a command into words like a POSIX shell, with quotes, backslashes, continued lines and comments. Syntax that only a
 * shell can execute is a problem. `$PORT` stays in place; the spawner replaces it.
 */
export function splitCommand(text: string): SplitResult {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? ''
    const rest = text.slice(index)
    if (quote === "'") {
      if (char === "'") quote = ''
      else word += char
    } else if (char === '\\') {
      const lineEnd = /^\r?\n/.exec(text.slice(index + 1))?.[0]
      if (lineEnd !== undefined) {
        index += lineEnd.length
        continue
      }
      const next = text[++index]
      if (next === undefined) return refused('ends with a backslash')
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next)
    } else if (char === quote) {
      quote = ''
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char
      word ??= ''
    } else if (char === '`' || (parameter.test(rest) && !portParameter.test(rest))) {
      return refused(`contains ${/^(\$\w+|\$?.)/.exec(rest)?.[0]}, which only a shell expands`)
    } else if (quote !== '') {
      word += char
    } else if (word === undefined && /^~(\/|\s|$)/.test(rest)) {
      return refused('contains ~, which only a shell expands')
    } else if (word === undefined && char === '#') {
      index += lineLength(rest) - 1
    } else if ('|&;<>()'.includes(char)) {
      return refused(`contains the shell operator ${char}`)
    } else if (char === '\n' && (words.length > 0 || word !== undefined) && !isOnlyComments(rest)) {
      return refused('contains several lines, each a command of its own')
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== '') return refused(`has an unclosed ${quote}`)
  if (word !== undefined) words.push(word)
  return words.length > 0 ? { ok: true, words } : refused('is empty')
}

function refused(problem: string): SplitResult {
  return { ok: false, problem }
}

/** Length of the first line. */
function lineLength(text: string): number {
  return text.includes('\n') ? text.indexOf('\n') : text.length
}

function isOnlyComments(text: string): boolean {
  return text.split('\n').every(line => /^\s*(#|$)/.test(line))
}
