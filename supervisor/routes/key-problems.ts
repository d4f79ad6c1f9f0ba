import { type Match, type RouteKeys, trimPath } from './settings-keys.ts'

const targetKinds = ['app', 'upstream', 'files', 'redirect', 'response'] as const
/** Keys that make sense only where a request is passed on. */
const proxyKeys = ['strip_prefix', 'rewrite', 'read_timeout', 'buffering', 'cache'] as const
const pathForms: Record<Match, [RegExp, string]> = {
  prefix: [/^(\/|(\/[A-Za-z0-9._~@+-]+)+\/?)$/, 'a path such as /api, of letters, digits and . _ ~ @ + -'],
  exact: [/^(\/[A-Za-z0-9._~@+-]*)+$/, 'a path such as /robots.txt, of letters, digits and . _ ~ @ + -'],
  regex: [/^[^\n\0]+$/, 'a regular expression such as \\.php$'],
}

export interface RouteKeyProblem {
  path: string[]
  message: string
  fix: string
}

type Complain = (key: string[], message: string, fix: string) => void

/** What is wrong with a route by itself. */
export function describeRouteKeyProblems(value: RouteKeys): RouteKeyProblem[] {
  const problems: RouteKeyProblem[] = []
  for (const check of [checkPath, checkTarget, checkPassing, checkRedirect, checkFiles])
    check(value, (path, message, fix) => problems.push({ path, message, fix }))
  return problems
}

function checkPath({ path, match }: RouteKeys, complain: Complain): void {
  const [form, expected] = pathForms[match]
  if (!form.test(path)) complain(['path'], `expected ${expected}`, `set path to ${expected}`)
  else if (match !== 'regex' && /\/\.{1,2}(\/|$)/.test(path))
    complain(['path'], 'is never asked for: . and .. are resolved before', 'write the path without them')
  else if (match !== 'regex' && /^\/\.monohull(\/|$)/.test(path))
    complain(['path'], 'is for pages of monohull itself', 'take another path')
}

/** A route leads to one target, which not all keys are for. */
function checkTarget(value: RouteKeys, complain: Complain): void {
  const given = targetKinds.filter(kind => value[kind] !== undefined)
  const [first, second] = given
  if (!first) complain([], 'leads nowhere', `set one of ${targetKinds.join(', ')}`)
  if (second) complain([second], `stands beside ${first}: a route leads to one`, `leave one out of ${given.join(', ')}`)
  if (!first || second || first === 'app' || first === 'upstream') return
  for (const key of proxyKeys.filter(name => value[name] !== undefined))
    complain([key], `is for routes to an app or an upstream, and this one leads to ${first}`, `leave ${key} out`)
}

function checkPassing({ path, match, strip_prefix, rewrite, cache, buffering }: RouteKeys, complain: Complain): void {
  const hasPrefix = match === 'prefix' && path !== '/'
  if (strip_prefix && !hasPrefix)
    complain(
      ['strip_prefix'],
      'has no prefix to strip',
      match === 'regex' ? 'use rewrite' : 'give the route a path such as /api',
    )
  if (strip_prefix && rewrite)
    complain(['rewrite'], 'stands beside strip_prefix', 'let rewrite do both, or leave it out')
  const missing = rewrite && findMissingGroup(rewrite)
  if (missing)
    complain(['rewrite', 'to'], `has ${missing}, and from has no such group`, 'put what it is to be in parentheses')
  if (cache && cache !== 'off' && buffering === 'off')
    complain(['cache'], 'stands beside buffering: off, with which nginx keeps nothing', 'leave one of the two out')
}

function checkRedirect({ path, match, redirect }: RouteKeys, complain: Complain): void {
  if (!redirect) return
  const { to, keep_path } = redirect
  if (keep_path && match === 'regex')
    complain(['redirect', 'keep_path'], 'has nothing to keep below a regular expression', 'use a prefix route')
  if (keep_path && /[?#]/.test(to))
    complain(['redirect', 'to'], 'has a query or a fragment, and keep_path appends a path', 'leave one of the two out')
  const isSame = match === 'prefix' ? trimPath(to) === trimPath(path) : to === path
  if (isSame && match !== 'regex')
    complain(['redirect', 'to'], 'leads back to this route', 'name another path, or https:// and another host')
}

function checkFiles({ match, files }: RouteKeys, complain: Complain): void {
  if (files?.fallback && match === 'exact')
    complain(['files', 'fallback'], 'is for more than one path', 'use a prefix route')
}

/** A `$2` where there is one group in parentheses. What only PCRE understands is left to nginx, which takes it for empty. */
function findMissingGroup({ from, to }: NonNullable<RouteKeys['rewrite']>): string | undefined {
  let groups: number
  try {
    groups = (new RegExp(`${from}|`).exec('')?.length ?? 10) - 1
  } catch {
    return undefined
  }
  return to.match(/\$[1-9]/g)?.find(group => Number(group.slice(1)) > groups)
}
