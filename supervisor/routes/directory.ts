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

/** Map from the path to the value of Cache-Control, in a variable. */
export function renderCacheMap({ path, match, target }: DirectoryRoute, variable: string): string[] {
  if (target.cache.length === 0) return []
  const prefix = match === 'prefix' && path !== '/' ? path : ''
  return [
    `map $uri ${variable} {`,
    "    default '';",
    ...target.cache.map(({ pattern, value }) => `    ${quote(toRegex(pattern, prefix))} ${quote(value)};`),
    '}',
  ]
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
  const from = root === '/' ? '' : ` ${quote(`from=${root}`)}`
  return [
    ...(isBelow ? [`alias ${quote(`${root.replace(/\/$/, '')}/`)};`] : []),
    ...(match === 'prefix' ? [] : [`root ${quote(root)};`]),
    ...(isBelow || match !== 'prefix' ? [`index ${index};`] : []),
    ...(target.looksForLinks ? [`disable_symlinks on${from};`] : []),
    ...renderShortcuts(target, features),
    ...(target.cache.length > 0 ? [`add_header Cache-Control ${variable};`, ...headers] : []),
    ...(target.isListed ? ['autoindex on;'] : []),
    // nginx strips the location's path only from arguments that begin with $uri; it looks up the others in the alias as they are
    ...(fallback ? [`try_files $uri $uri/${index} ${isBelow ? fallback.slice(1) : fallback} =404;`] : []),
    // nginx accepts no location inside an exact one
    ...(match === 'exact' ? [] : hiddenFiles),
  ]
}

/** Directives for compressed and open files. A lookup takes as long as sending the file, so none is made in vain. */
function renderShortcuts(
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
