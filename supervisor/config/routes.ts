import * as z from 'zod'
import { type RouteSettings, routeSettingKeys } from './route-settings.ts'
import {
  type FilesTarget,
  files,
  type RedirectTarget,
  type ResponseTarget,
  redirect,
  response,
} from './route-targets.ts'
import { docs, hostName, optionalDuration } from './values.ts'

/** How a route's path is compared with a request's. */
export type Match = 'prefix' | 'exact' | 'regex'

const targetKinds = ['app', 'upstream', 'files', 'redirect', 'response'] as const
/** Keys that make sense only where a request is passed on. */
const proxyKeys = ['strip_prefix', 'rewrite', 'read_timeout', 'buffering', 'cache'] as const

const rewrite = z.strictObject({
  from: z
    .string({ error: 'expected a regular expression' })
    .regex(/^[^\n\0]+$/, 'expected a regular expression in one line')
    // nginx would take it for a flag
    .regex(/^[^*]/, 'expected a regular expression, in which * stands after what it repeats, such as .*')
    .register(docs, {
      description: 'Regular expression (PCRE) for the path as the client wrote it, without the query',
    }),
  to: z
    .string({ error: 'expected a path such as /v2/$1' })
    .regex(/^\/([A-Za-z0-9._~@+%/-]|\$[1-9])*$/, 'expected a path such as /v2/$1, without a query')
    .register(docs, { description: 'The path instead, with $1 to $9 for what is in parentheses; the query stays' }),
})

const keys = z.strictObject({
  host: hostName
    .transform(host => host.toLowerCase())
    .optional()
    .register(docs, {
      description: 'Only for requests to this host name, such as www.example.com or *.example.com; default: any',
    }),
  path: z.string({ error: 'expected a path such as /api' }).default('/').register(docs, {
    description:
      'What the path of the request is or begins with, in whole segments: /api is for /api and /api/x, not for /apix',
  }),
  match: z
    .enum(['prefix', 'exact', 'regex'], { error: 'expected prefix, exact or regex' })
    .default('prefix')
    .register(docs, {
      description:
        'How path is compared: exact ones come first, then the first regex (PCRE) that fits, then the longest prefix',
    }),
  app: z
    .string({ error: 'expected the name of an app' })
    .optional()
    .register(docs, { description: 'The app that answers' }),
  upstream: z
    .string({ error: 'expected the name of an upstream' })
    .optional()
    .register(docs, { description: 'The upstream whose servers answer' }),
  files: files.optional().register(docs, { description: 'A folder of static files' }),
  redirect: redirect.optional().register(docs, { description: 'Sends the client elsewhere' }),
  response: response.optional().register(docs, { description: 'A fixed answer' }),
  strip_prefix: z.boolean({ error: 'expected true or false' }).optional().register(docs, {
    description:
      'Whether the app or upstream gets the path without that of the route: /x for /api/x. Its Location and Refresh headers and the paths of its cookies get it back; X-Forwarded-Prefix tells it',
  }),
  rewrite: rewrite.optional().register(docs, { description: 'Another path for the app or upstream' }),
  read_timeout: optionalDuration().register(docs, {
    description:
      'The longest silence of the app or upstream before and within an answer, and on a WebSocket; after it 504, and nobody else is asked. Default: 60s',
  }),
  buffering: z.enum(['on', 'off'], { error: 'expected on or off' }).optional().register(docs, {
    description: 'off: every byte of an answer goes on at once, and a slow client keeps its worker busy; default: on',
  }),
  ...routeSettingKeys,
  snippet: z
    .string({ error: 'expected a file' })
    .regex(/^[^"\\;{}$*?[\n\0]+$/, 'expected a file, without quotes, backslashes, *, ?, [, ;, {, } and $')
    .optional()
    .register(docs, {
      description: "File with nginx directives for this route's location, relative to the app's directory",
    }),
})

/** One line of `routes`. A slash at the end of a prefix makes no difference. */
export const route = keys
  .superRefine((value, context) => {
    for (const { fix, ...issue } of problemsOf(value)) context.addIssue({ code: 'custom', ...issue, params: { fix } })
  })
  .transform(toRoute)

type RouteKeys = z.output<typeof keys>

/** What a route leads to. */
export type Target =
  | ({ kind: 'app'; name: string } & Passing)
  | ({ kind: 'upstream'; name: string } & Passing)
  | ({ kind: 'files' } & FilesTarget)
  | ({ kind: 'redirect' } & RedirectTarget)
  | ({ kind: 'response' } & ResponseTarget)

/** How a request is passed on. */
export interface Passing {
  stripsPrefix: boolean
  rewrite: { from: string; to: string } | undefined
  readTimeoutMs: number | undefined
  isBuffered: boolean
}

/** A route of the configuration. */
export interface Route {
  /** Such as `routes[1]`; undefined: it stands for there being no routes. */
  origin: string | undefined
  host: string | undefined
  path: string
  match: Match
  target: Target
  settings: RouteSettings
  snippet: string | undefined
}

/** A route for everything to an app. */
export function routeToApp(name: string): Route {
  const passing = { stripsPrefix: false, rewrite: undefined, readTimeoutMs: undefined, isBuffered: true }
  return {
    origin: undefined,
    host: undefined,
    path: '/',
    match: 'prefix',
    target: { kind: 'app', name, ...passing },
    settings: {},
    snippet: undefined,
  }
}

function toRoute(value: RouteKeys): Route {
  const { host, match, snippet } = value
  const path = match === 'prefix' && value.path !== '/' ? trim(value.path) : value.path
  return { origin: undefined, host, path, match, target: toTarget(value), settings: toSettings(value), snippet }
}

function toSettings(value: RouteKeys): RouteSettings {
  const { max_body_size, rate_limit, connection_limit, basic_auth, allow, deny, client_certificate } = value
  const { headers, compression, cache } = value
  const admission = { max_body_size, rate_limit, connection_limit, basic_auth, allow, deny, client_certificate }
  return { ...admission, headers, compression, cache }
}

function toTarget(value: RouteKeys): Target {
  const passing: Passing = {
    stripsPrefix: value.strip_prefix ?? false,
    rewrite: value.rewrite,
    readTimeoutMs: value.read_timeout,
    isBuffered: value.buffering !== 'off',
  }
  if (value.app !== undefined) return { kind: 'app', name: value.app, ...passing }
  if (value.upstream !== undefined) return { kind: 'upstream', name: value.upstream, ...passing }
  if (value.files) return { kind: 'files', ...value.files }
  if (value.redirect) return { kind: 'redirect', ...value.redirect }
  return { kind: 'response', ...response.parse(value.response ?? {}) }
}

interface KeyProblem {
  path: string[]
  message: string
  fix: string
}

/** What is wrong with a route by itself. */
function problemsOf(value: RouteKeys): KeyProblem[] {
  const { path, match } = value
  const problems: KeyProblem[] = []
  const complain = (key: string[], message: string, fix: string) => problems.push({ path: key, message, fix })
  const forms: Record<Match, [RegExp, string]> = {
    prefix: [/^(\/|(\/[A-Za-z0-9._~@+-]+)+\/?)$/, 'a path such as /api, of letters, digits and . _ ~ @ + -'],
    exact: [/^(\/[A-Za-z0-9._~@+-]*)+$/, 'a path such as /robots.txt, of letters, digits and . _ ~ @ + -'],
    regex: [/^[^\n\0]+$/, 'a regular expression such as \\.php$'],
  }
  const [form, expected] = forms[match]
  if (!form.test(path)) complain(['path'], `expected ${expected}`, `set path to ${expected}`)
  else if (match !== 'regex' && /\/\.{1,2}(\/|$)/.test(path))
    complain(['path'], 'is never asked for: . and .. are resolved before', 'write the path without them')
  else if (match !== 'regex' && /^\/\.monohull(\/|$)/.test(path))
    complain(['path'], 'is for pages of monohull itself', 'take another path')

  const given = targetKinds.filter(kind => value[kind] !== undefined)
  const all = targetKinds.join(', ')
  if (given.length === 0) complain([], 'leads nowhere', `set one of ${all}`)
  if (given.length > 1)
    complain(
      [given[1] ?? ''],
      `stands beside ${given[0]}: a route leads to one`,
      `leave one out of ${given.join(', ')}`,
    )

  const isProxied = given.includes('app') || given.includes('upstream')
  for (const key of proxyKeys) {
    if (given.length === 1 && !isProxied && value[key] !== undefined)
      complain([key], `is for routes to an app or an upstream, and this one leads to ${given[0]}`, `leave ${key} out`)
  }
  const hasPrefix = match === 'prefix' && path !== '/'
  if (value.strip_prefix && !hasPrefix)
    complain(
      ['strip_prefix'],
      'has no prefix to strip',
      match === 'regex' ? 'use rewrite' : 'give the route a path such as /api',
    )
  if (value.strip_prefix && value.rewrite)
    complain(['rewrite'], 'stands beside strip_prefix', 'let rewrite do both, or leave it out')
  const missing = value.rewrite && findMissingGroup(value.rewrite)
  if (missing)
    complain(['rewrite', 'to'], `has ${missing}, and from has no such group`, 'put what it is to be in parentheses')
  if (value.cache && value.cache !== 'off' && value.buffering === 'off')
    complain(['cache'], 'stands beside buffering: off, with which nginx keeps nothing', 'leave one of the two out')
  if (value.redirect?.keep_path && match === 'regex')
    complain(['redirect', 'keep_path'], 'has nothing to keep below a regular expression', 'use a prefix route')
  if (value.redirect?.keep_path && /[?#]/.test(value.redirect.to))
    complain(['redirect', 'to'], 'has a query or a fragment, and keep_path appends a path', 'leave one of the two out')
  const isSame =
    value.redirect && (match === 'prefix' ? trim(value.redirect.to) === trim(path) : value.redirect.to === path)
  if (isSame && match !== 'regex')
    complain(['redirect', 'to'], 'leads back to this route', 'name another path, or https:// and another host')
  if (value.files?.fallback && match === 'exact')
    complain(['files', 'fallback'], 'is for more than one path', 'use a prefix route')
  return problems
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

/** Without the slash at its end. */
function trim(path: string): string {
  return path.replace(/\/$/, '')
}
