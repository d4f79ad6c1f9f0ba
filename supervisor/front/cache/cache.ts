import { callLua, quote } from '../../nginx/text.ts'

/** Cache for responses of the app. */
export interface Cache {
  /** Lifetime of responses that do not specify one. */
  ttlSeconds: number
  /** Cache key with nginx variables. */
  key: string
  maxSize: string
  staleWhileRevalidate: boolean
  cookies: 'bypass' | 'ignore'
  /** Whether nginx runs Lua, for the rules of caches that it lacks. */
  hasLua: boolean
}

/** The cache of a route. */
export interface RouteCache {
  cache: Cache
  /** Independent of the route's position, because nginx keeps the content of a cache over a reload by its name. */
  name: string
}

const zone = 'monohull_cache'
/** Bytes of the smallest file, and of its key in shared memory. */
const blockBytes = 4096
const keyBytes = 132
/** Room for the keys that are stored before nginx looks at the size of the cache again. */
const spareKeyBytes = 8 * 1024 ** 2
/** A response that is not requested for this time is removed, even if it is fresh. */
const minInactiveSeconds = 600
/** Space to keep free when other caches and programs fill the disk, or nginx could neither store nor forward a response. */
const minFree = '16m'

/** Headers by which frameworks take another method, path or host than those of the request line. */
const unkeyedHeaders = [
  'x_http_method_override',
  'x_http_method',
  'x_method_override',
  'x_original_url',
  'x_rewrite_url',
  'x_original_host',
  'x_host',
  'x_forwarded_path',
]

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
    // headers that change what an app does, but not the key
    `map "${unkeyedHeaders.map(name => `$http_${name}`).join('')}" $monohull_unkeyed { default 1; '' ''; }`,
    ...renderLuaDictionary([...(front ? [front] : []), ...routes.map(({ cache }) => cache)]),
  ]
}

/** Memory for what nginx does not keep about a key, with room for one entry per key. */
function renderLuaDictionary(caches: readonly Cache[]): string[] {
  const megabytes = caches.reduce((sum, { maxSize, hasLua }) => sum + (hasLua ? 2 * keyMegabytes(maxSize) : 0), 0)
  return megabytes > 0 ? [`lua_shared_dict monohull_cached ${megabytes}m;`] : []
}

function renderPath(cache: Cache, directory: string, name: string): string {
  const { maxSize } = cache
  const zone = `${name}:${keyMegabytes(maxSize)}m`
  return `proxy_cache_path ${quote(directory)} levels=1:2 keys_zone=${zone} max_size=${maxSize} min_free=${minFree} inactive=${inactiveSeconds(cache)}s use_temp_path=off;`
}

/** Shared memory for the keys of a cache that is full of the smallest files. nginx uses only what the present keys need. */
export function keyMegabytes(maxSize: string): number {
  return Math.ceil(((bytesOf(maxSize) / blockBytes) * keyBytes + spareKeyBytes) / 1024 ** 2)
}

function inactiveSeconds({ ttlSeconds }: Pick<Cache, 'ttlSeconds'>): number {
  return Math.max(minInactiveSeconds, ttlSeconds)
}

/** Lines for the server block or, with the name of its cache, for the locations of a route. Sets every directive, because a location inherits those that it omits. */
export function renderCached(cache: Cache, name?: string): string[] {
  const { ttlSeconds, key, staleWhileRevalidate, cookies, hasLua } = cache
  // requests whose response is for one client; the second is empty without a client certificate
  const bypass = ['$http_authorization', '$ssl_client_fingerprint', '$monohull_upgrade', '$monohull_event_stream']
  // the key does not contain the body of a request
  bypass.push('$content_length', '$http_transfer_encoding', '$monohull_unkeyed')
  if (cookies === 'bypass') bypass.push('$http_cookie')
  const updating = staleWhileRevalidate ? 'updating' : ''
  return [
    '# cache',
    `proxy_cache ${zoneOf(name)};`,
    ...(hasLua
      ? [
          `set $monohull_cache_key ${key};`,
          "set $monohull_cache_version '';",
          "set $monohull_cache_expired '';",
          "set $monohull_cache_refused '';",
          callLua('rewrite', 'cache.choose'),
          callLua('header_filter', 'cache.respond', `${2 * inactiveSeconds(cache)}`),
          'proxy_cache_key $monohull_cache_key$monohull_cache_version;',
        ]
      : [`proxy_cache_key ${key};`]),
    `proxy_cache_valid 200 301 308 ${ttlSeconds}s;`,
    `proxy_cache_bypass ${[...bypass, ...(hasLua ? ['$monohull_cache_expired'] : [])].join(' ')};`,
    `proxy_no_cache ${[...bypass, '$monohull_is_event_stream', ...(hasLua ? ['$monohull_cache_refused'] : [])].join(' ')};`,
    'proxy_cache_revalidate on;',
    // the age of a stored response counts from its own date
    'proxy_pass_header Date;',
    // without Lua, nginx would also use stale responses that the app forbids to use
    `proxy_cache_use_stale ${hasLua ? `error timeout ${updating}`.trim() : 'off'};`,
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
