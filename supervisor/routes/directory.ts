import type { NginxFeatures } from '../nginx/features.ts'
import { quote } from '../nginx/text.ts'
import type { FilesTarget, ServedRoute } from './route.ts'
import type { DirectoryShortcuts } from './static-directory.ts'

/** A route to a folder of static files. */
export interface DirectoryRoute extends ServedRoute {
  target: FilesTarget
}

/** Files and folders whose name begins with a dot, .well-known aside, are nobody's. */
export const hiddenFiles = ['location ~ /\\.(?!well-known/) {', '    return 404;', '}']

/** Those that are asked for twice in 10 s, in each of nginx's workers. */
function renderOpenFiles(validSeconds: number): string[] {
  return [
    'open_file_cache max=256 inactive=10s;',
    'open_file_cache_min_uses 2;',
    `open_file_cache_valid ${validSeconds}s;`,
    'open_file_cache_errors off;',
  ]
}

/** The value of Cache-Control by path, as a variable. */
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

/** What surrounds a folder in the configuration. */
export interface DirectoryContext {
  /** The variable of its map for Cache-Control. */
  variable: string
  features: Pick<NginxFeatures, 'brotliStaticModule'>
  /** What brings in the other headers of its answers, where it has one of its own. */
  headers: readonly string[]
}

/** The inside of the location; the one for `/` has its root from the server. */
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
    // nginx takes the location's path off what begins with $uri only; the rest it looks for in the aliased folder as it is
    ...(fallback ? [`try_files $uri $uri/${index} ${isBelow ? fallback.slice(1) : fallback} =404;`] : []),
    // nginx takes no location inside an exact one
    ...(match === 'exact' ? [] : hiddenFiles),
  ]
}

/** Where there is nothing to look for, looking takes as long as sending the file. */
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

/** `/assets/**` for the path below the route, `*.js` for the name of the file. */
function toRegex(pattern: string, prefix: string): string {
  const body = (pattern.startsWith('/') ? prefix + pattern : `/${pattern}`)
    .split(/(\*+)/)
    .map(part => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+]/g, '\\$&')))
    .join('')
  return `~${pattern.startsWith('/') ? '^' : ''}${body}$`
}
