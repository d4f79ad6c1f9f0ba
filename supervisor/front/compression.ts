import { callLuaToSet } from '../nginx/text.ts'

/** Compression of responses. */
export interface Compression {
  hasBrotli: boolean
  /** Responses with fewer bytes are not compressed. */
  minLength: number
  /** Additional media types. */
  types: readonly string[]
  /** Whether responses to requests with cookies or a password stay as they are, because their size would tell about their text. */
  skipsWithCookies: boolean
}

/** Level for gzip (1 to 9) and Brotli (0 to 11). Higher levels cost more time than they save. */
const level = 5

/** Default media types, to which nginx always adds HTML. Server-sent events are not among them, because they would wait in the compressor. */
const defaultTypes = [
  'application/atom+xml',
  'application/geo+json',
  'application/javascript',
  'application/json',
  'application/jsonl',
  'application/ld+json',
  'application/manifest+json',
  'application/problem+json',
  'application/rss+xml',
  'application/vnd.api+json',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-ndjson',
  'application/xhtml+xml',
  'application/xml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/svg+xml',
  'image/x-icon',
  'text/calendar',
  'text/css',
  'text/csv',
  'text/javascript',
  'text/markdown',
  'text/plain',
  'text/vcard',
  'text/vtt',
  'text/xml',
]

/** Lines for the http block. */
export function renderCompression(compression: Compression | undefined): string[] {
  if (!compression) return ['# compression', 'gzip off;']
  return [
    '# compression',
    ...renderFilter('gzip', compression),
    // a proxy in front passes on what its clients accept
    'gzip_proxied any;',
    'gzip_vary on;',
    ...(compression.hasBrotli ? renderFilter('brotli', compression) : []),
  ]
}

/** Lines for a location that proxies requests. Neither nginx nor the app compresses for a client that seems not to accept it. */
export function renderCookieSkip(compression: Compression | 'off' | undefined): string[] {
  if (!compression || compression === 'off' || !compression.skipsWithCookies) return []
  return ['# compression', callLuaToSet('$monohull_skips_compression', 'compression.skip_with_cookies')]
}

/** Lines for the locations of a route. */
export function renderRouteCompression(own: Compression | 'off', front: Compression | undefined): string[] {
  const compression = own === 'off' ? undefined : own
  const endsBrotli = front?.hasBrotli && !compression?.hasBrotli
  return [...renderCompression(compression), ...(endsBrotli ? ['brotli off;'] : [])]
}

function renderFilter(name: 'gzip' | 'brotli', { minLength, types }: Compression): string[] {
  const all = [...new Set([...defaultTypes, ...types])].filter(type => type !== 'text/html').sort()
  return [
    `${name} on;`,
    `${name}_comp_level ${level};`,
    `${name}_min_length ${minLength};`,
    `${name}_types ${all.join(' ')};`,
  ]
}
