import { quote } from '../nginx/text.ts'
import type { RuledRoute } from './route-rules.ts'

/**
 * Ambiguous request targets. nginx selects a route by the path that it has decoded and normalized; the app gets the path as the client wrote
 * it, and may read another one. Where access control differs between the routes of a host, such a path could be let in by one route and
 * treated by the app as a path of another. It is rejected: docs/decisions/046-ambiguous-paths.md.
 */

/** Longest regular expression: nginx reads parameters of up to 4096 bytes. */
const longestRegex = 3500

/** Paths without any character that parsers read differently. Most requests match it, and no other expression is tried. */
const plain = String.raw`~^(?:/(?!\.{1,2}(?:[/?]|$))[^/?#;%\\\xa0]++)*+/?(?:[?]|$)`

/** Paths that are ambiguous whatever the routes are. The quantifiers are possessive, so that no path takes long to compare. */
const ambiguous = [
  // an empty first segment: URL parsers read // and /\ as the beginning of a host
  '~^/(?:/|%2[fF]|;|%3[bB])',
  // a backslash, which WHATWG URLs treat as a slash; a fragment
  String.raw`~^(?:[^?#\\%]++|%(?!5[cC]))*+(?:[#\\]|%5[cC])`,
  // dot segments, also with parameters, which servlets remove first
  String.raw`~*^[^?]*(?:/|%2f)(?:\.|%2e){1,2}(?:/|%2f|;|%3b|\?|$)`,
  // a no-break space at the end, which Node's url.parse removes
  String.raw`~^[^?]*\xa0(?:[?]|$)`,
  // a parameter, then an encoded slash, which ends it for some
  '~^(?:[^?;%]++|%(?!3[bB]))*+(?:;|%3[bB])[^?]*%2[fF]',
]

/** Paths that a regular expression in a route may match in one form and not in another: empty segments, encoded slashes, parameters, encoded letters. */
const unnormalized = '~^[^?]*?(?://|;|%(?:2[dDeEfF]|3[0-9bB]|[46][1-9a-fA-F]|[57][0-9aAfF]|7[eE]))'

/** Separator of segments in any notation, with the parameters of an empty segment. */
const parameters = '(?:(?:;|%3[bB])(?:[^/?%]++|%(?!2[fF]))*+)?+'
const separator = `(?:(?:/|%2[fF])${parameters})++`

/** Lines for the http block: a map for each host whose routes differ in access. `hosts`: the routes of each. */
export function renderAmbiguousPaths(hosts: readonly (readonly RuledRoute[])[]): string[] {
  return hosts.flatMap((routes, number) => (differsInAccess(routes) ? renderMap(routes, number) : []))
}

/** Lines for the server blocks of the host with this number. */
export function refuseAmbiguousPaths(routes: readonly RuledRoute[], number: number): string[] {
  return differsInAccess(routes) ? ['# routes', `if (${variableOf(number)}) {`, '    return 400;', '}'] : []
}

/** Lines for a location that sends another path, in a variable: it must not begin with a host. */
export function refuseEmptySegment(variable: string): string[] {
  return [`if (${variable} ~ ${quote('^/(?:/|%2[fF]|;|%3[bB])')}) {`, '    return 400;', '}']
}

/** Statuses of fixed responses that deny access. */
const denials = new Set([401, 403, 404])

/** Whether some clients may use one route and not another. A fixed 401, 403 or 404 counts as a route that nobody may use. */
export function differsInAccess(routes: readonly RuledRoute[]): boolean {
  const accesses = routes.map(({ rules, target }) => {
    const { basicAuth, allow, deny, clientCertificate, forwardAuth, satisfiesAny = false } = rules
    const isDenial = target.kind === 'response' && denials.has(target.status ?? 0)
    return JSON.stringify([basicAuth, allow, deny, clientCertificate, forwardAuth, satisfiesAny, isDenial])
  })
  return new Set(accesses).size > 1
}

function renderMap(routes: readonly RuledRoute[], number: number): string[] {
  const mounts = new Set(routes.flatMap(({ target }) => target.php?.mount ?? []))
  const scripts = [...mounts].flatMap(mount => renderScripts(mount, routes))
  const own = routes.flatMap(route => (route.match === 'regex' ? [] : (detourTo(route) ?? [])))
  const isCompared = routes.some(route => route.match === 'regex' || detourTo(route) === null)
  const values = [...ambiguous, ...(isCompared ? [unnormalized] : []), ...new Set(own)]
  return [
    '',
    '# routes',
    `map $request_uri ${variableOf(number)} {`,
    // for an expression that fails because of PCRE's limits
    '    default 1;',
    ...[...new Set(scripts)].map(value => `    ${quote(value)} 1;`),
    `    ${quote(plain)} '';`,
    ...values.map(value => `    ${quote(value)} 1;`),
    "    ~^ '';",
    '}',
  ]
}

/**
 * Expression for paths that a parser may read as a path of the route, and another not: each segment with encoded letters or parameters,
 * and separators in any notation. Undefined for `/`, which matches everything; null if it is too long for nginx.
 */
function detourTo({ path, match }: RuledRoute): string | undefined | null {
  const segments = path.split('/').filter(segment => segment !== '')
  if (segments.length === 0) return undefined
  const isExact = match === 'exact'
  const literal = `(?!${escapeRegex(path)}${isExact ? '(?:[?]|$)' : '(?:[/?]|$)'})`
  const loose = segments.map(segment => separator + [...segment].map(anyForm).join('')).join(parameters)
  // some readers end the path at the first parameter
  const end = isExact
    ? `${path.endsWith('/') ? '(?:/|%2[fF])' : ''}(?:(?:;|%3[bB])[^?]*)?(?:[?]|$)`
    : `${parameters}(?:/|%2[fF]|[?]|$)`
  const regex = `~^${literal}${loose}${end}`
  return regex.length > longestRegex ? null : regex
}

/** Any script of a PHP app: what follows its name is a path for that script. */
const script = `/[^?]*?${[...'.php'].map(anyForm).join('')}`

/**
 * Expressions for the paths of a PHP app that name a script before the path of a route: frameworks route /index.php/admin as /admin. The paths that
 * a regular expression in a route matches are unknown, so that it allows nothing after a script.
 */
function renderScripts(mount: string, routes: readonly RuledRoute[]): string[] {
  const start = `~^${loosePath(mount)}${script}`
  return routes.flatMap(({ path, match }) => {
    if (match === 'regex') return `${start}${separator}[^?]`
    const rest = path.startsWith(`${mount}/`) ? path.slice(mount.length) : '/'
    if (rest === '/') return []
    const regex = `${start}${loosePath(rest)}${parameters}(?:/|%2[fF]|[?]|$)`
    return regex.length > longestRegex ? `${start}${separator}[^?]` : regex
  })
}

function loosePath(path: string): string {
  const segments = path.split('/').filter(segment => segment !== '')
  return segments.map(segment => separator + [...segment].map(anyForm).join('')).join(parameters)
}

/** Expression for a character as it is, or encoded. */
function anyForm(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  const digits = hex.replace(/[a-f]/, letter => `[${letter}${letter.toUpperCase()}]`)
  return `(?:${escapeRegex(character)}|%${digits})`
}

function escapeRegex(text: string): string {
  return text.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&')
}

function variableOf(number: number): string {
  return `$monohull_ambiguous_path_${number}`
}
