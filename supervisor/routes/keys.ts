import type { InternalPage } from './internal.ts'
import { describeRouteKeyProblems } from './key-problems.ts'
import { type ProxiedTarget, spoolsAll } from './route.ts'
import { type Match, type RouteKeys, routeKeys, trimPath } from './route-keys.ts'
import type { RouteSettings } from './setting-keys.ts'
import { defaultResponse, type FilesTarget, type RedirectTarget, type ResponseTarget } from './targets.ts'

/** One entry of `routes`. A slash at the end of a prefix makes no difference. */
export const route = routeKeys
  .superRefine((value, context) => {
    for (const { fix, ...issue } of describeRouteKeyProblems(value))
      context.addIssue({ code: 'custom', ...issue, params: { fix } })
  })
  .transform(toRoute)

/** Target of a route. */
export type Target =
  | ProxiedTarget
  | ({ kind: 'files' } & FilesTarget)
  | ({ kind: 'redirect' } & RedirectTarget)
  | ({ kind: 'response' } & ResponseTarget)
  | { kind: 'internal'; page: InternalPage }

/** Route as configured. */
export interface Route {
  /** Entry of the configuration, such as `routes[1]`; undefined for the default route of a configuration without routes. */
  origin: string | undefined
  host: string | undefined
  path: string
  match: Match
  target: Target
  settings: RouteSettings
  snippet: string | undefined
}

/** Route that sends every request to an app. */
export function routeToApp(name: string): Route {
  const proxying = {
    stripsPrefix: false,
    rewrite: undefined,
    readTimeoutMs: undefined,
    buffering: undefined,
    headSize: undefined,
    spool: spoolsAll,
  }
  return {
    origin: undefined,
    host: undefined,
    path: '/',
    match: 'prefix',
    target: { kind: 'app', name, ...proxying },
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
  const { headers, compression, cache, forward_auth, satisfy } = value
  const admission = { max_body_size, rate_limit, connection_limit, basic_auth, allow, deny, client_certificate }
  return { ...admission, headers, compression, cache, forward_auth, satisfy }
}

function toTarget(value: RouteKeys): Target {
  const given = value.response_buffering ?? value.buffering
  const isSize = given !== undefined && given !== 'on' && given !== 'off'
  const proxying = {
    stripsPrefix: value.strip_prefix ?? false,
    rewrite: value.rewrite,
    readTimeoutMs: value.read_timeout,
    buffering: isSize || given === 'on' ? ('on' as const) : given && ('off' as const),
    headSize: value.response_header_size,
    spool: { storesBodies: value.request_buffering !== 'off', responseSize: isSize ? given : undefined },
  }
  if (value.app !== undefined) return { kind: 'app', name: value.app, ...proxying }
  if (value.upstream !== undefined) return { kind: 'upstream', name: value.upstream, ...proxying }
  if (value.files) return { kind: 'files', ...value.files }
  if (value.redirect) return { kind: 'redirect', ...value.redirect }
  if (value.internal) return { kind: 'internal', page: value.internal }
  return { kind: 'response', ...defaultResponse, ...value.response }
}
