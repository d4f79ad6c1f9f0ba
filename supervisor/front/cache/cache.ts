import { quote } from '../../nginx/text.ts'

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

/** The cache of a route. */
export interface RouteCache {
  cache: Cache
  /** The same for the same route, wherever it stands: nginx keeps what is in the cache over a reload. */
  name: string
}

const zone = 'monohull_cache'
/** Room for 80,000 keys. */
const zoneSize = '10m'
/** An answer that nobody asks for goes, even while it is fresh. */
const shortestInactiveSeconds = 600
/** What other caches and programs fill up makes room too, or nginx could neither keep nor pass on an answer. */
const minFree = '16m'

/** Of a size such as `256m`. */
export function bytesOf(size: string): number {
  return Number.parseInt(size, 10) * 1024 ** ('kmg'.indexOf(size.slice(-1)) + 1)
}

/** The name of a folder of cached answers, in nginx's own folder. */
export function isCacheDirectory(name: string): boolean {
  return /^cache(-|$)/.test(name)
}

/** For the http block: the cache of the whole front, and those of routes. */
export function renderCaches(front: Cache | undefined, routes: readonly RouteCache[], workDir: string): string[] {
  if (!front && routes.length === 0) return []
  return [
    '',
    '# cache',
    ...(front ? [renderPath(front, `${workDir}/cache`, zone)] : []),
    ...routes.map(({ cache, name }) => renderPath(cache, `${workDir}/cache-${name}`, zoneOf(name))),
    // what never ends is nothing to keep
    `map $http_accept $monohull_event_stream { default ''; ~*text/event-stream 1; }`,
    `map $upstream_http_content_type $monohull_is_event_stream { default ''; ~*^text/event-stream 1; }`,
  ]
}

function renderPath({ ttlSeconds, maxSize }: Cache, folder: string, name: string): string {
  const inactive = Math.max(shortestInactiveSeconds, ttlSeconds)
  return `proxy_cache_path ${quote(folder)} levels=1:2 keys_zone=${name}:${zoneSize} max_size=${maxSize} min_free=${minFree} inactive=${inactive}s use_temp_path=off;`
}

/** For the server block, or with the name of its cache for the locations of a route: whole, since what it leaves out would be the server's. */
export function renderCached({ ttlSeconds, key, staleWhileRevalidate, cookies }: Cache, name?: string): string[] {
  // what is for somebody in particular; the second is empty without a certificate of the client
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

/** A name for the cache of a route, of letters and digits (FNV-1a). */
export function cacheName({ host, match, path }: { host: string | undefined; match: string; path: string }): string {
  let hash = 0x811c9dc5
  for (const character of `${host ?? ''} ${match} ${path}`)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return (hash >>> 0).toString(36)
}

function zoneOf(name?: string): string {
  return name === undefined ? zone : `${zone}_${name}`
}

/** For the headers where there is a cache: HIT, MISS, BYPASS, EXPIRED, STALE, UPDATING or REVALIDATED. */
export const cacheHeader = 'add_header X-Cache $upstream_cache_status always;'

/** Whether an answer is meant by a prefix: of its path, when that begins with a slash, else of its whole key. */
export function isUnder(key: string, prefix: string): boolean {
  return (prefix.startsWith('/') ? key.replace(/^(\w+:\/\/)?[^/]*/, '') : key).startsWith(prefix)
}
