import type { RouteAccess } from './access.ts'
import type { Cache } from './cache/cache.ts'
import type { RouteClientCertificate } from './client-certificates.ts'
import type { Compression } from './compression.ts'
import type { ResponseHeader } from './headers.ts'
import type { RouteLimits } from './limits.ts'

/** What a route has otherwise than the whole front; what is undefined is as there. */
export interface RouteRules extends RouteLimits, RouteAccess, RouteClientCertificate {
  /** All that its answers get, those of the whole front among them. */
  headers?: readonly ResponseHeader[] | undefined
  /** Its headers say themselves what holds for HSTS. */
  hasOwnHsts?: boolean
  compression?: Compression | 'off' | undefined
  cache?: Cache | 'off' | undefined
}

/** A route, as far as its rules go. */
export interface RuledRoute {
  host: string | undefined
  match: string
  path: string
  rules: RouteRules
}
