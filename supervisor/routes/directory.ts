import type { NginxFeatures } from '../nginx/features.ts'
import { quote } from '../nginx/text.ts'
import type { FilesTarget, ServedRoute } from './route.ts'
import type { DirectoryShortcuts } from './static-directory.ts'

/** Route to a directory of static files. */
export interface DirectoryRoute extends ServedRoute {
  target: FilesTarget
}

/** Location that rejects names that begin with a dot, except .well-known. */
export const hiddenFiles = ['location ~ /\\.(?!well-known/) {', '    return 404;', '}']

/** Directives that keep files open that are requested twice within 10 s, in each nginx worker. */
function renderOpenFiles(validSeconds: number): string[] {
  return [
    'open_file_cache max=256 inactive=10s;',
    'open_file_cache_min_uses 2;',
    `open_file_cache_valid ${validSeconds}s;`,
    'open_file_cache_errors off;',
  ]
}

/** Path with an extension, such as that of a missing script; a version such as /v1.2 is none. */
const withExtension = '~\\.[0-9]*[A-Za-z][A-Za-z0-9_-]*$'

/** Maps from the path: to the value of Cache-Control, to the fallback, and to the index of a directory without its slash. */
export function renderDirectoryMaps(route: DirectoryRoute, variable: string): string[] {
  const { path, match, target } = route
  const prefix = match === 'prefix' && path !== '/' ? path : ''
  const { index, fallback, fallbackFor } = target
  const cache = target.cache.map(({ pattern, value }) => `    ${quote(toRegex(pattern, prefix))} ${quote(value)};`)
  // browsers would otherwise keep a page whose scripts are gone
  const pages = fallback
    ? [`/${index}`, fallback].map(name => `    ${quote(toRegex(name.slice(1), prefix))} no-cache;`)
    : []
  return [
    ...(hasCacheMap(target)
      ? [`map $uri ${variable} {`, "    default '';", ...new Set([...cache, ...pages]), '}']
      : []),
    ...(fallback
      ? [
          `map $uri ${variable}_fallback {`,
          `    default ${prefix === '' ? fallback : fallback.slice(1)};`,
          ...(fallbackFor === 'all' ? [] : [`    ${quote(withExtension)} '';`]),
          '}',
          `map $uri ${variable}_index { default /${index}; ~/$ /; }`,
        ]
      : []),
  ]
}

function hasCacheMap({ cache, fallback }: FilesTarget): boolean {
  return cache.length > 0 || fallback !== undefined
}

/** Context of a directory in the nginx configuration. */
export interface DirectoryContext {
  /** Variable of its Cache-Control map. */
  variable: string
  features: Pick<NginxFeatures, 'brotliStaticModule'>
  /** Directives that include the other response headers if the location has an `add_header` of its own. */
  headers: readonly string[]
}

/** Body of the location. The location for `/` inherits its root from the server. */
export function renderDirectory(
  { path, match, target }: DirectoryRoute,
  { variable, features, headers }: DirectoryContext,
): string[] {
  const { root, index, fallback } = target
  const isBelow = match === 'prefix' && path !== '/'
  return [
    ...(isBelow ? [`alias ${quote(`${root.replace(/\/$/, '')}/`)};`] : []),
    ...(match === 'prefix' ? [] : [`root ${quote(root)};`]),
    ...(isBelow || match !== 'prefix' ? [`index ${index};`] : []),
    ...renderLinkCheck(target),
    ...renderShortcuts(target, features),
    ...(hasCacheMap(target) ? [`add_header Cache-Control ${variable};`, ...headers] : []),
    ...(target.isListed ? ['autoindex on;'] : []),
    // nginx strips the location's path only from arguments that begin with $uri; it looks up the others in the alias as they are
    ...(fallback
      ? [
          // relative links of the directory's page depend on the slash
          `if (-f $request_filename${variable}_index) {`,
          '    rewrite ^(.*)$ $1/ permanent;',
          '}',
          `try_files $uri $uri/${index} ${variable}_fallback =404;`,
        ]
      : []),
    // nginx accepts no location inside an exact one
    ...(match === 'exact' ? [] : hiddenFiles),
  ]
}

/** Directive that rejects symbolic links below the root. */
export function renderLinkCheck({ root, looksForLinks }: { root: string; looksForLinks: boolean }): string[] {
  const from = root === '/' ? '' : ` ${quote(`from=${root}`)}`
  return looksForLinks ? [`disable_symlinks on${from};`] : []
}

/** Directives for compressed and open files. A lookup takes as long as sending the file, so none is made in vain. */
export function renderShortcuts(
  { looksForGzip, looksForBrotli, keepsOpen }: DirectoryShortcuts,
  { brotliStaticModule }: Pick<NginxFeatures, 'brotliStaticModule'>,
): string[] {
  const looks = [
    ...(looksForGzip ? ['gzip_static on;'] : []),
    ...(looksForBrotli && brotliStaticModule ? ['brotli_static on;'] : []),
  ]
  const openFiles = keepsOpen === 'never' ? [] : renderOpenFiles(keepsOpen === 'a second' ? 1 : 0)
  return [...openFiles, ...looks, ...(looks.length > 0 ? ['gzip_vary on;'] : [])]
}

/** Regular expression of a pattern: `/assets/**` matches the path below the route, `*.js` the file name. */
function toRegex(pattern: string, prefix: string): string {
  const body = (pattern.startsWith('/') ? prefix + pattern : `/${pattern}`)
    .split(/(\*+)/)
    .map(part => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+]/g, '\\$&')))
    .join('')
  return `~${pattern.startsWith('/') ? '^' : ''}${body}$`
}
