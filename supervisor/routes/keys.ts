import { describeRouteKeyProblems } from './key-problems.ts'
import type { RouteSettings } from './settings.ts'
import { type Match, type RouteKeys, routeKeys, trimPath } from './settings-keys.ts'
import { type FilesTarget, type RedirectTarget, type ResponseTarget, response } from './targets.ts'

/** One line of `routes`. A slash at the end of a prefix makes no difference. */
export const route = routeKeys
  .superRefine((value, context) => {
    for (const { fix, ...issue } of describeRouteKeyProblems(value))
      context.addIssue({ code: 'custom', ...issue, params: { fix } })
  })
  .transform(toRoute)

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
  const path = match === 'prefix' && value.path !== '/' ? trimPath(value.path) : value.path
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
