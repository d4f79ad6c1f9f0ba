import type { RouteAccess } from './access.ts'
import type { Cache } from './cache/cache.ts'
import type { RouteClientCertificate } from './client-certificates.ts'
import type { Compression } from './compression.ts'
import type { ResponseHeader } from './headers.ts'
import type { RouteLimits } from './limits.ts'

/** Rules of a route. An undefined rule is that of the whole front. */
export interface RouteRules extends RouteLimits, RouteAccess, RouteClientCertificate {
  /** All headers of its responses, including those of the whole front. */
  headers?: readonly ResponseHeader[] | undefined
  /** Whether its headers include HSTS. */
  hasOwnHsts?: boolean
  compression?: Compression | 'off' | undefined
  cache?: Cache | 'off' | undefined
}

/** Route with its rules. */
export interface RuledRoute {
  host: string | undefined
  match: string
  path: string
  /** `php`: its paths may have the name of a script between `mount` and the rest. */
  target: { kind: string; status?: number; php?: { mount: string } | undefined }
  rules: RouteRules
}
