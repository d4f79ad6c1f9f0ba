import type * as z from 'zod'
import { keyNames } from './keys.ts'
import type { Problem } from './report.ts'
import { isSecretKey } from './secrets.ts'

type Issue = z.core.$ZodIssue

/** Not the value of a form is wrong, but it is another form. */
const otherForm = new Set<string>(['invalid_type', 'invalid_value', 'invalid_union'])

/** Of a value with several forms, what is wrong with the one that it is meant to have, where that can be told. */
export function unfold(issue: Issue, schema: z.core.$ZodType): Issue[] {
  if (issue.code !== 'invalid_union' || isSecretKey(schema, issue.path.map(String))) return [issue]
  const isOtherForm = ({ code, path }: Issue) => path.length === 0 && otherForm.has(code)
  const meant = issue.errors.filter(issues => issues.length > 0 && !issues.some(isOtherForm))
  const [only, ...others] = meant
  if (!only || others.length > 0) return [issue]
  return only.map(inner => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(inner => unfold(inner, schema))
}

/** What is wrong, and how to mend it; where it is about another key too, `lineOf` tells where that stands. */
export function explainIssue(
  issue: Issue,
  path: readonly string[],
  { schema, lineOf }: { schema: z.core.$ZodType; lineOf: (path: readonly string[]) => string | undefined },
): Pick<Problem, 'problem' | 'fix'> {
  const key = path.join('.')
  if (issue.code === 'invalid_type' && issue.expected === 'object')
    return { problem: 'expected keys and values below it', fix: `known here: ${keyNames(schema, path).join(', ')}` }
  const { fix, also } = issue.code === 'custom' ? (issue.params ?? {}) : {}
  const place = Array.isArray(also) ? lineOf(also.map(String)) : undefined
  if (issue.code === 'invalid_key') {
    const problem = issue.issues[0]?.message ?? issue.message
    return { problem, fix: problem.replace(/^expected/, `in place of ${path.at(-1)}, take`) }
  }
  const { message } = issue
  const problem = place ? `${message} (${place})` : message
  return { problem, fix: typeof fix === 'string' ? fix : fixFor(key, problem) }
}

function fixFor(key: string, message: string): string {
  const [, other] = /^expected (.*) beside it/.exec(message) ?? []
  if (other !== undefined) return `add ${other}${message.slice(`expected ${other} beside it`.length)}`
  if (message.startsWith('expected ')) return `set ${key} to ${message.slice('expected '.length)}`
  if (/(^|\.)command$/.test(key) || /^(init\.\d+$|hooks\.)/.test(key))
    return 'no shell runs the command; to have one, write [sh, -c, "…"]'
  return 'docs/reference/configuration.md says what it takes'
}
