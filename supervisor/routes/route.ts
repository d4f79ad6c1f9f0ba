import { isUnderWildcard } from '../base/host-name.ts'
import type { RequestCounter } from '../front/requests/request-counter.ts'
import type { RouteRules } from '../front/route-rules.ts'
import type { FrontRules } from '../front/rules.ts'
import type { RouteSpool, Spool } from '../front/spool.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { OwnFiles } from '../nginx/own-files.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import type { AppUpstream } from '../workers/app-upstream.ts'
import type { BusyCounter } from '../workers/autoscaling/busy-counter.ts'
import type { InternalTarget } from './internal.ts'
import type { DirectoryShortcuts } from './static-directory.ts'

/** Route as nginx serves it. */
export interface ServedRoute {
  /** Entry of the configuration, such as `routes[1]`; undefined for the default route of a configuration without routes. */
  origin: string | undefined
  /** Host name such as `www.example.com` or `*.example.com`; undefined: any host without such a route. */
  host: string | undefined
  match: 'prefix' | 'exact' | 'regex'
  /** As a prefix `/`, or segments without a slash at the end: `/api` matches `/api` and everything below. */
  path: string
  target: RouteTarget
  rules: RouteRules
  /** Path of the user's file with directives for the location. */
  snippet: string | undefined
}

/** Target of a served route. */
export type RouteTarget = ProxiedTarget | FilesTarget | RedirectTarget | ResponseTarget | InternalTarget

/** App or upstream that requests are proxied to. */
export interface ProxiedTarget {
  kind: 'app' | 'upstream'
  name: string
  stripsPrefix: boolean
  rewrite: { from: string; to: string } | undefined
  /** Undefined: nginx's default for all routes, 60 s. */
  readTimeoutMs: number | undefined
  /** Undefined: every part of a response is sent on as it comes, unless it may be cached. */
  buffering: 'on' | 'off' | undefined
  /** Largest response head in nginx's notation; undefined: that of the whole front. */
  headSize: string | undefined
  spool: RouteSpool
  /** Undefined: every request goes to the app or upstream. */
  php?: PhpTarget | undefined
}

/** Directory of a PHP app: nginx sends its files, and the workers run its scripts. */
export interface PhpTarget extends DirectoryShortcuts {
  root: string
  /** Path at which the root is, without a slash at the end. A route below it changes the rules of a part of the app. */
  mount: string
  /** Path below the root of the script that responds where no file exists; undefined: 404. */
  frontController: string | undefined
  /** Prefix of the paths of scripts, in nginx's notation: the root as the program that runs them sees it. */
  scriptRoot: string
}

/** Usual value of `spool`. */
export const spoolsAll: RouteSpool = { storesBodies: true, responseSize: undefined }

/** Directory of static files. */
export interface FilesTarget extends DirectoryShortcuts {
  kind: 'files'
  root: string
  index: string
  /** Path of a file below the root. */
  fallback: string | undefined
  /** `pages`: paths without an extension. */
  fallbackFor: 'pages' | 'all'
  /** Cache-Control values; the first matching pattern applies. */
  cache: { pattern: string; value: string }[]
  isListed: boolean
}

/** Redirect to another URL or path. */
export interface RedirectTarget {
  kind: 'redirect'
  to: string
  status: number
  keepsPath: boolean
}

/** Fixed response. */
export interface ResponseTarget {
  kind: 'response'
  status: number
  body: string
  contentType: string
}

/**
 * Routes by host. The first entry contains the routes for any host. Each named host has its own routes, then those of matching
 * wildcards, then those for any host, unless a more specific route has the same path and match.
 */
export function routesByHost(routes: readonly ServedRoute[]): { host: string | undefined; routes: ServedRoute[] }[] {
  const of = (host: string | undefined) => routes.filter(route => route.host === host)
  const hosts = [...new Set(routes.flatMap(({ host }) => host ?? []))]
  const named = hosts.map(host => {
    const wildcards = hosts
      .filter(pattern => isUnderWildcard(host, pattern))
      .sort((one, other) => other.length - one.length)
    const found = of(host)
    for (const level of [...wildcards, undefined]) {
      const taken = new Set(found.map(({ match, path }) => `${match} ${path}`))
      found.push(...of(level).filter(({ match, path }) => !taken.has(`${match} ${path}`)))
    }
    return { host, routes: found }
  })
  return [{ host: undefined, routes: of(undefined) }, ...named]
}

/** Part of nginx's model that the locations of routes depend on. */
export interface RoutesModel {
  features: Pick<NginxFeatures, 'brotliStaticModule'>
  front: FrontRules
  routes: readonly ServedRoute[]
  apps: readonly AppUpstream[]
  upstreams: readonly Upstream[]
  busyCounter: BusyCounter | undefined
  /** Undefined: requests are not counted. */
  requestCounter: RequestCounter | undefined
  /** Whether nginx runs Lua for each response of an app or upstream. */
  filtersResponses: boolean
  spool: Spool
  /** The user's nginx files. */
  ownFiles: OwnFiles
  /** Lines of snippets/proxy.conf. */
  proxySettings: readonly string[]
  /** Unix socket on which nginx asks whether a request whose worker died goes to another; undefined: nginx decides. */
  retrySocket: string | undefined
  /** File that lets requests wait while it exists; undefined while nothing is paused. */
  pauseGate?: string | undefined
}
