import { quote } from '../../nginx/text.ts'

/** Cache for responses of the app. */
export interface Cache {
  /** Lifetime of responses that do not specify one. */
  ttlSeconds: number
  /** Cache key with nginx variables. */
  key: string
  maxSize: string
  staleWhileRevalidate: boolean
  cookies: 'bypass' | 'ignore'
}

/** The cache of a route. */
export interface RouteCache {
  cache: Cache
  /** Independent of the route's position, because nginx keeps the content of a cache over a reload by its name. */
  name: string
}

const zone = 'monohull_cache'
/** Room for 80,000 keys. */
const zoneSize = '10m'
/** A response that is not requested for this time is removed, even if it is fresh. */
const minInactiveSeconds = 600
/** Space to keep free when other caches and programs fill the disk, or nginx could neither store nor forward a response. */
const minFree = '16m'

/** Bytes of a size such as `256m`. */
export function bytesOf(size: string): number {
  return Number.parseInt(size, 10) * 1024 ** ('kmg'.indexOf(size.slice(-1)) + 1)
}

/** Whether a name in nginx's working directory is that of a cache directory. */
export function isCacheDirectory(name: string): boolean {
  return /^cache(-|$)/.test(name)
}

/** Lines for the http block: the cache of the whole front, and those of routes. */
export function renderCaches(front: Cache | undefined, routes: readonly RouteCache[], workDir: string): string[] {
  if (!front && routes.length === 0) return []
  return [
    '',
    '# cache',
    ...(front ? [renderPath(front, `${workDir}/cache`, zone)] : []),
    ...routes.map(({ cache, name }) => renderPath(cache, `${workDir}/cache-${name}`, zoneOf(name))),
    // endless responses cannot be cached
    `map $http_accept $monohull_event_stream { default ''; ~*text/event-stream 1; }`,
    `map $upstream_http_content_type $monohull_is_event_stream { default ''; ~*^text/event-stream 1; }`,
  ]
}

function renderPath({ ttlSeconds, maxSize }: Cache, directory: string, name: string): string {
  const inactive = Math.max(minInactiveSeconds, ttlSeconds)
  return `proxy_cache_path ${quote(directory)} levels=1:2 keys_zone=${name}:${zoneSize} max_size=${maxSize} min_free=${minFree} inactive=${inactive}s use_temp_path=off;`
}

/** Lines for the server block or, with the name of its cache, for the locations of a route. Sets every directive, because a location inherits those that it omits. */
export function renderCached({ ttlSeconds, key, staleWhileRevalidate, cookies }: Cache, name?: string): string[] {
  // requests whose response is for one client; the second is empty without a client certificate
  const bypass = ['$http_authorization', '$ssl_client_fingerprint', '$monohull_upgrade', '$monohull_event_stream']
  if (cookies === 'bypass') bypass.push('$http_cookie')
  return [
    '# cache',
    `proxy_cache ${zoneOf(name)};`,
    `proxy_cache_key ${key};`,
    `proxy_cache_valid 200 301 308 ${ttlSeconds}s;`,
    `proxy_cache_bypass ${bypass.join(' ')};`,
    `proxy_no_cache ${bypass.join(' ')} $monohull_is_event_stream;`,
    'proxy_cache_revalidate on;',
    `proxy_cache_use_stale error timeout${staleWhileRevalidate ? ' updating' : ''};`,
    `proxy_cache_background_update ${staleWhileRevalidate ? 'on' : 'off'};`,
  ]
}

/** Name for the cache of a route, of letters and digits (FNV-1a hash). */
export function cacheName({ host, match, path }: { host: string | undefined; match: string; path: string }): string {
  let hash = 0x811c9dc5
  for (const character of `${host ?? ''} ${match} ${path}`)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return (hash >>> 0).toString(36)
}

function zoneOf(name?: string): string {
  return name === undefined ? zone : `${zone}_${name}`
}

/** Header with the cache result: HIT, MISS, BYPASS, EXPIRED, STALE, UPDATING or REVALIDATED. */
export const cacheHeader = 'add_header X-Cache $upstream_cache_status always;'

/** Whether the path of a cached response, or its whole key if `prefix` does not begin with a slash, has a prefix. */
export function isUnder(key: string, prefix: string): boolean {
  return (prefix.startsWith('/') ? key.replace(/^(\w+:\/\/)?[^/]*/, '') : key).startsWith(prefix)
}
