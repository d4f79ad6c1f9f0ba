import { type Match, type RouteKeys, trimPath } from './route-keys.ts'
import { targetKinds } from './targets.ts'

/** Keys that apply only to proxied requests. */
const proxyKeys = [
  'strip_prefix',
  'rewrite',
  'read_timeout',
  'request_buffering',
  'response_header_size',
  'response_buffering',
  'buffering',
  'cache',
] as const
const pathForms: Record<Match, [RegExp, string]> = {
  prefix: [/^(\/|(\/[A-Za-z0-9._~@+-]+)+\/?)$/, 'a path such as /api, of letters, digits and . _ ~ @ + -'],
  exact: [/^(\/[A-Za-z0-9._~@+-]*)+$/, 'a path such as /robots.txt, of letters, digits and . _ ~ @ + -'],
  regex: [/^[^\n\0]+$/, 'a regular expression such as \\.php$'],
}

/** Problem of one key of a route, with its fix. */
export interface RouteKeyProblem {
  path: string[]
  message: string
  fix: string
}

type Complain = (key: string[], message: string, fix: string) => void

/** Problems of a single route, without regard to other routes. */
export function describeRouteKeyProblems(value: RouteKeys): RouteKeyProblem[] {
  const problems: RouteKeyProblem[] = []
  for (const check of [checkPath, checkTarget, checkProxying, checkRedirect, checkFiles])
    check(value, (path, message, fix) => problems.push({ path, message, fix }))
  return problems
}

function checkPath({ path, match }: RouteKeys, complain: Complain): void {
  const [form, expected] = pathForms[match]
  if (!form.test(path)) complain(['path'], `expected ${expected}`, `set path to ${expected}`)
  else if (match !== 'regex' && /\/\.{1,2}(\/|$)/.test(path))
    complain(['path'], 'can never match: . and .. are resolved first', 'write the path without them')
  else if (match !== 'regex' && /^\/\.monohull(\/|$)/.test(path))
    complain(['path'], 'is reserved for the pages of monohull', 'choose another path')
}

/** Checks that there is exactly one target, and that all keys apply to it. */
function checkTarget(value: RouteKeys, complain: Complain): void {
  const given = targetKinds.filter(kind => value[kind] !== undefined)
  const [first, second] = given
  if (!first) complain([], 'has no target', `set one of ${targetKinds.join(', ')}`)
  if (second)
    complain([second], `conflicts with ${first}: a route has one target`, `keep only one of ${given.join(', ')}`)
  if (!first || second || first === 'app' || first === 'upstream') return
  for (const key of proxyKeys.filter(name => value[name] !== undefined))
    complain([key], `applies to routes to an app or upstream, not to ${first}`, `remove ${key}`)
}

function checkProxying(value: RouteKeys, complain: Complain): void {
  const { path, match, strip_prefix, rewrite, cache, buffering, response_buffering } = value
  const hasPrefix = match === 'prefix' && path !== '/'
  if (strip_prefix && !hasPrefix)
    complain(
      ['strip_prefix'],
      'has no prefix to strip',
      match === 'regex' ? 'use rewrite' : 'give the route a path such as /api',
    )
  if (strip_prefix && rewrite) complain(['rewrite'], 'conflicts with strip_prefix', 'let rewrite do both, or remove it')
  const missing = rewrite && findMissingGroup(rewrite)
  if (missing)
    complain(
      ['rewrite', 'to'],
      `contains ${missing}, but from has no such group`,
      'add the group to from, in parentheses',
    )
  const off = [response_buffering === 'off' && 'response_buffering', buffering === 'off' && 'buffering'].find(Boolean)
  if (cache && cache !== 'off' && off)
    complain(['cache'], `conflicts with ${off}: off, with which nginx stores nothing`, 'remove one of the two')
  if (buffering && response_buffering) complain(['buffering'], 'is the same as response_buffering', 'remove buffering')
}

function checkRedirect({ path, match, redirect }: RouteKeys, complain: Complain): void {
  if (!redirect) return
  const { to, keep_path } = redirect
  if (keep_path && match === 'regex')
    complain(['redirect', 'keep_path'], 'does not work with a regular expression', 'use a prefix route')
  if (keep_path && /[?#]/.test(to))
    complain(['redirect', 'to'], 'has a query or a fragment, and keep_path appends a path', 'remove one of the two')
  const isSame = match === 'prefix' ? trimPath(to) === trimPath(path) : to === path
  if (isSame && match !== 'regex')
    complain(['redirect', 'to'], 'leads back to this route', 'set another path, or https:// and another host')
}

function checkFiles({ match, files }: RouteKeys, complain: Complain): void {
  if (files?.fallback && match === 'exact')
    complain(['files', 'fallback'], 'does not work with an exact path', 'use a prefix route')
}

/** Reference such as `$2` to a group that `from` does not have. Expressions that only PCRE understands are left to nginx. */
function findMissingGroup({ from, to }: NonNullable<RouteKeys['rewrite']>): string | undefined {
  let groups: number
  try {
    groups = (new RegExp(`${from}|`).exec('')?.length ?? 10) - 1
  } catch {
    return undefined
  }
  return to.match(/\$[1-9]/g)?.find(group => Number(group.slice(1)) > groups)
}
