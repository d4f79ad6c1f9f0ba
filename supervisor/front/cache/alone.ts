import type { RouteRules } from '../route-rules.ts'
import type { FrontRules } from '../rules.ts'
import { pageRule } from '../unavailable.ts'

/** While nobody is there, a cache answers what it has: nginx looks into it only on the way to somebody. */
const nobody = 'monohull_nobody'

/** Whether answers of a route are kept. */
export function isCached({ cache }: RouteRules, front: Pick<FrontRules, 'cache'>): boolean {
  return (cache ?? front.cache ?? 'off') !== 'off'
}

/** For the http block. */
export function renderNobody(): string[] {
  return ['', '# cache', `upstream ${nobody} {`, '    server unix:/nobody down;', '}']
}

/** The inside of a location. */
export function renderCacheAlone(): string[] {
  return ['include snippets/proxy.conf;', `proxy_pass http://${nobody};`]
}

/** The rules for errors of such a location: what the cache has not is 503, as without a cache. */
export const cacheAloneRules = [`error_page 502 =503 ${pageRule}`, `error_page 503 504 ${pageRule}`]
