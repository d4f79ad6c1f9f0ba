/** How answers are made smaller on their way out. */
export interface Compression {
  hasBrotli: boolean
  /** Bytes below which an answer is left as it is. */
  minLength: number
  /** Media types besides the usual ones. */
  types: readonly string[]
}

/** The sixth of gzip's nine levels and the sixth of Brotli's twelve: what comes after costs more time than it saves. */
const level = 5

/** HTML is always one of them. What is sent bit by bit is not: server-sent events would wait in the compressor. */
const usualTypes = [
  'application/atom+xml',
  'application/geo+json',
  'application/javascript',
  'application/json',
  'application/ld+json',
  'application/manifest+json',
  'application/problem+json',
  'application/rss+xml',
  'application/vnd.api+json',
  'application/vnd.ms-fontobject',
  'application/wasm',
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

/** For the http block. */
export function renderCompression(compression: Compression | undefined): string[] {
  if (!compression) return ['# compression', 'gzip off;']
  return [
    '# compression',
    ...renderFilter('gzip', compression),
    // a proxy in front asks for its own clients
    'gzip_proxied any;',
    'gzip_vary on;',
    ...(compression.hasBrotli ? renderFilter('brotli', compression) : []),
  ]
}

/** For the locations of a route. */
export function renderRouteCompression(own: Compression | 'off', front: Compression | undefined): string[] {
  const compression = own === 'off' ? undefined : own
  const endsBrotli = front?.hasBrotli && !compression?.hasBrotli
  return [...renderCompression(compression), ...(endsBrotli ? ['brotli off;'] : [])]
}

function renderFilter(name: 'gzip' | 'brotli', { minLength, types }: Compression): string[] {
  const all = [...new Set([...usualTypes, ...types])].filter(type => type !== 'text/html').sort()
  return [
    `${name} on;`,
    `${name}_comp_level ${level};`,
    `${name}_min_length ${minLength};`,
    `${name}_types ${all.join(' ')};`,
  ]
}
