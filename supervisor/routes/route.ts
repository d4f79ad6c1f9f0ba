import { isUnderWildcard } from '../base/host-name.ts'
import type { RouteRules } from '../front/route-rules.ts'
import type { FrontRules } from '../front/rules.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { ExternalUpstream } from '../upstreams/upstream.ts'
import type { BusyCounter } from '../workers/autoscaling/busy-counter.ts'
import type { Upstream } from '../workers/upstream.ts'
import type { DirectoryShortcuts } from './static-directory.ts'

export interface ServedRoute {
  /** Where the configuration has it, such as `routes[1]`; undefined: it stands for there being no routes. */
  origin: string | undefined
  /** A host name such as `www.example.com` or `*.example.com`; undefined: any that has no such route of its own. */
  host: string | undefined
  match: 'prefix' | 'exact' | 'regex'
  /** As a prefix `/`, or segments without a slash at the end: `/api` is for `/api` and all below. */
  path: string
  target: RouteTarget
  rules: RouteRules
  /** Path of the user's file with directives for the location. */
  snippet: string | undefined
}

export type RouteTarget = ProxiedTarget | FilesTarget | RedirectTarget | ResponseTarget

export interface ProxiedTarget {
  kind: 'app' | 'upstream'
  name: string
  stripsPrefix: boolean
  rewrite: { from: string; to: string } | undefined
  /** Undefined: as everywhere. */
  readTimeoutMs: number | undefined
  isBuffered: boolean
}

export interface FilesTarget extends DirectoryShortcuts {
  kind: 'files'
  root: string
  index: string
  /** Path of a file below the root. */
  fallback: string | undefined
  /** The first pattern that fits counts. */
  cache: { pattern: string; value: string }[]
  isListed: boolean
}

export interface RedirectTarget {
  kind: 'redirect'
  to: string
  status: number
  keepsPath: boolean
}

export interface ResponseTarget {
  kind: 'response'
  status: number
  body: string
  contentType: string
}

/**
 * The routes of each host that is named, with those of the wildcards that it falls under, and then those for any host, where it has none
 * of its own at that path; the ones for any host come first.
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
  apps: readonly Upstream[]
  upstreams: readonly ExternalUpstream[]
  busyCounter: BusyCounter | undefined
}
