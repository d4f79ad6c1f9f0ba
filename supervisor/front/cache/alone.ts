import type { RouteRules } from '../route-rules.ts'
import type { FrontRules } from '../rules.ts'
import { pageRule } from '../unavailable.ts'

/** Upstream that is always down. nginx only looks into the cache on the way to an upstream, so a cache without workers needs one. */
const nobody = 'monohull_nobody'

/** Whether responses of a route are cached. */
export function isCached({ cache }: RouteRules, front: Pick<FrontRules, 'cache'>): boolean {
  return (cache ?? front.cache ?? 'off') !== 'off'
}

/** Lines for the http block. */
export function renderNobody(): string[] {
  return ['', '# cache', `upstream ${nobody} {`, '    server unix:/nobody down;', '}']
}

/** Body of a location that only serves from the cache. */
export function renderCacheAlone(): string[] {
  return ['include snippets/proxy.conf;', `proxy_pass http://${nobody};`]
}

/** Error rules of such a location. A response that is not cached becomes 503, as without a cache. */
export const cacheAloneRules = [`error_page 500 502 =503 ${pageRule}`, `error_page 503 504 ${pageRule}`]
