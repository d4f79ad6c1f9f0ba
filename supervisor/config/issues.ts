import type * as z from 'zod'
import { shellForm } from './command-words.ts'
import { keyNames } from './keys.ts'
import type { Problem } from './report.ts'
import { isSecretKey } from './secrets.ts'

type Issue = z.core.$ZodIssue

/** Issue codes for a value of the wrong form; other codes are for a wrong value of the right form. */
const wrongForm = new Set<string>(['invalid_type', 'invalid_value', 'invalid_union'])

/** Issues of the intended form of a value that has several forms, or the issue itself if the form is unclear. */
export function unfold(issue: Issue, schema: z.core.$ZodType): Issue[] {
  if (issue.code !== 'invalid_union' || isSecretKey(schema, issue.path.map(String))) return [issue]
  const hasWrongForm = ({ code, path }: Issue) => path.length === 0 && wrongForm.has(code)
  const intended = issue.errors.filter(issues => issues.length > 0 && !issues.some(hasWrongForm))
  const [only, ...others] = intended
  if (!only || others.length > 0) return [issue]
  return only.map(inner => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(inner => unfold(inner, schema))
}

/** Problem and fix for an issue. If the issue concerns another key too, the problem includes that key's line from `lineOf`. */
export function explainIssue(
  issue: Issue,
  path: readonly string[],
  { schema, lineOf }: { schema: z.core.$ZodType; lineOf: (path: readonly string[]) => string | undefined },
): Pick<Problem, 'problem' | 'fix'> {
  const key = path.join('.')
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    const known = keyNames(schema, path)
    // somebody wrote the command alone
    const form = known.includes('command') ? `write ${key}: {command: …}; ` : ''
    return { problem: 'expected keys and values below it', fix: `${form}known here: ${known.join(', ')}` }
  }
  // the message of such a key is about an item
  if (issue.code === 'invalid_type' && issue.expected === 'array' && !issue.message.includes('list'))
    return { problem: 'expected a list', fix: `write brackets: ${key}: [...]` }
  const { fix, also } = issue.code === 'custom' ? (issue.params ?? {}) : {}
  const location = Array.isArray(also) ? lineOf(also.map(String)) : undefined
  if (issue.code === 'invalid_key') {
    const problem = issue.issues[0]?.message ?? issue.message
    return { problem, fix: problem.replace(/^expected/, `replace ${path.at(-1)} with`) }
  }
  const { message } = issue
  const problem = location ? `${message} (${location})` : message
  return { problem, fix: typeof fix === 'string' ? fix : fixFor(key, problem) }
}

function fixFor(key: string, message: string): string {
  const [, other] = /^expected (.*) beside it/.exec(message) ?? []
  if (other !== undefined) return `add ${other}${message.slice(`expected ${other} beside it`.length)}`
  if (message.startsWith('expected ')) return `set ${key} to ${message.slice('expected '.length)}`
  if (/(^|\.)command$/.test(key) || /^(init\.\d+$|hooks\.)/.test(key))
    return `commands do not run in a shell; to use one, write ${shellForm}`
  return 'docs/reference/configuration.md lists the accepted values'
}
