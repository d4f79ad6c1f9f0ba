import type { FilesTarget, NginxRoute } from './nginx-model.ts'
import { quote } from './nginx-text.ts'

/** A route to a folder of static files. */
export interface FolderRoute extends NginxRoute {
  target: FilesTarget
}

/** Files and folders whose name begins with a dot, .well-known aside, are nobody's. */
export const hiddenFiles = ['location ~ /\\.(?!well-known/) {', '    return 404;', '}']

/** The value of Cache-Control by path, as a variable. */
export function renderCacheMap({ path, match, target }: FolderRoute, variable: string): string[] {
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
export interface FolderSurroundings {
  /** The variable of its map for Cache-Control. */
  variable: string
  hasBrotli: boolean
  /** What brings in the other headers of its answers, where it has one of its own. */
  headers: readonly string[]
}

/** The inside of the location; the one for `/` has its root from the server. */
export function renderFolder(
  { path, match, target }: FolderRoute,
  { variable, hasBrotli, headers }: FolderSurroundings,
): string[] {
  const { root, index, fallback } = target
  const isBelow = match === 'prefix' && path !== '/'
  const from = root === '/' ? '' : ` ${quote(`from=${root}`)}`
  return [
    ...(isBelow ? [`alias ${quote(`${root.replace(/\/$/, '')}/`)};`] : []),
    ...(match === 'prefix' ? [] : [`root ${quote(root)};`]),
    ...(isBelow || match !== 'prefix' ? [`index ${index};`] : []),
    ...(target.followsLinks ? [] : [`disable_symlinks on${from};`]),
    'gzip_static on;',
    ...(hasBrotli ? ['brotli_static on;'] : []),
    'gzip_vary on;',
    ...(target.cache.length > 0 ? [`add_header Cache-Control ${variable};`, ...headers] : []),
    ...(target.isListed ? ['autoindex on;'] : []),
    ...(fallback ? [`try_files $uri $uri/${index} ${isBelow ? path : ''}${fallback} =404;`] : []),
    // nginx takes no location inside an exact one
    ...(match === 'exact' ? [] : hiddenFiles),
  ]
}

/** `/assets/**` for the path below the route, `*.js` for the name of the file. */
function toRegex(pattern: string, prefix: string): string {
  const body = (pattern.startsWith('/') ? prefix + pattern : `/${pattern}`)
    .split(/(\*+)/)
    .map(part => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+]/g, '\\$&')))
    .join('')
  return `~${pattern.startsWith('/') ? '^' : ''}${body}$`
}
