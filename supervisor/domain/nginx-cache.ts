import { quote } from './nginx-text.ts'

/** Answers of the app that nginx keeps. */
export interface Cache {
  /** Seconds for answers that say nothing themselves. */
  ttlSeconds: number
  /** With variables of nginx. */
  key: string
  maxSize: string
  staleWhileRevalidate: boolean
  cookies: 'bypass' | 'ignore'
}

const zone = 'monohull_cache'
/** Room for 80,000 keys. */
const zoneSize = '10m'
/** An answer that nobody asks for goes, even while it is fresh. */
const shortestInactiveSeconds = 600

/** The folder of the cache, in nginx's own. */
export function cacheFolder(workDir: string): string {
  return `${workDir}/cache`
}

/** For the http block. */
export function renderCache({ ttlSeconds, maxSize }: Cache, workDir: string): string[] {
  const inactive = Math.max(shortestInactiveSeconds, ttlSeconds)
  return [
    '',
    '# cache',
    `proxy_cache_path ${quote(cacheFolder(workDir))} levels=1:2 keys_zone=${zone}:${zoneSize} max_size=${maxSize} inactive=${inactive}s use_temp_path=off;`,
    // what never ends is nothing to keep
    `map $http_accept $monohull_event_stream { default ''; ~*text/event-stream 1; }`,
  ]
}

/** For the server block, or a place in it. */
export function renderCached({ ttlSeconds, key, staleWhileRevalidate, cookies }: Cache): string[] {
  const bypass = ['$http_authorization', '$monohull_upgrade', '$monohull_event_stream']
  if (cookies === 'bypass') bypass.push('$http_cookie')
  return [
    '# cache',
    `proxy_cache ${zone};`,
    `proxy_cache_key ${key};`,
    ...(ttlSeconds > 0 ? [`proxy_cache_valid 200 301 308 ${ttlSeconds}s;`] : []),
    `proxy_cache_bypass ${bypass.join(' ')};`,
    `proxy_no_cache ${bypass.join(' ')};`,
    'proxy_cache_revalidate on;',
    `proxy_cache_use_stale error timeout${staleWhileRevalidate ? ' updating' : ''};`,
    ...(staleWhileRevalidate ? ['proxy_cache_background_update on;'] : []),
  ]
}

/** For rendered/headers.conf: HIT, MISS, BYPASS, EXPIRED, STALE, UPDATING or REVALIDATED. */
export const cacheHeader = 'add_header X-Cache $upstream_cache_status always;'

/** Whether an answer is meant by a prefix: of its path, when that begins with a slash, else of its whole key. */
export function isUnder(key: string, prefix: string): boolean {
  return (prefix.startsWith('/') ? key.replace(/^https?:\/\/[^/]*/, '') : key).startsWith(prefix)
}
