import type { NginxFeatures } from '../nginx/features.ts'
import { quote } from '../nginx/text.ts'
import { hiddenFiles, renderLinkCheck, renderShortcuts } from './directory.ts'
import type { PhpTarget, ProxiedTarget, ServedRoute } from './route.ts'

/** Route to an app whose directory nginx serves, and whose scripts its workers run. */
export interface PhpRoute extends ServedRoute {
  target: ProxiedTarget & { php: PhpTarget }
}

/** Whether a route leads to such an app. */
export function isPhp(route: { target: { kind: string; php?: PhpTarget | undefined } }): route is PhpRoute {
  return route.target.php !== undefined
}

/** Names that are never sent as files: scripts, whether PHP-FPM runs them or not, what they include, and the copies that editors leave beside them. */
const source = quote(
  '~*\\.(php\\d?|phtml|pht|phps|phar|inc)([~#. ]|\\.(bak|backup|old|orig|save|copy|tmp|sw[a-p]|dist|rej|dpkg-[a-z]+))?(/|$)',
)

/**
 * Maps from the path, below the route: to a file that is sent as it is, to the index.html of a directory, to the index.php of a directory
 * without its slash, to the script, to what follows the script, and to the front controller. Empty: there is none.
 */
export function renderPhpMaps({ target: { php } }: PhpRoute, variable: string): string[] {
  const prefix = escapeRegex(php.mount)
  const map = (name: string, ...entries: [pattern: string, value: string][]) => [
    `map $uri ${variable}_${name} {`,
    // a script may send X-Accel-Redirect, and the path is another one then
    '    volatile;',
    "    default '';",
    ...entries.map(([pattern, value]) => `    ${pattern} ${value};`),
    '}',
  ]
  // \z and not $, which also matches before a newline at the end: that path would run a script of another route
  const below = (pattern: string) => quote(`~^${prefix}${pattern}\\z`)
  return [
    ...map('file', [source, "''"], [below('(/.*)'), '$1']),
    ...map('page', [below('(/.+/)'), '$1index.html']),
    ...map('slash', [below('(/.*[^/])'), '$1/index.php']),
    ...map('script', [below('(/.*?\\.php)(/.*)?'), '$1'], [below('(/(.*/)?)'), '$1index.php']),
    ...map('info', [below('/.*?\\.php(/.*)'), '$1']),
    ...(php.frontController ? map('front', [source, "''"], [quote('~.'), php.frontController]) : []),
  ]
}

/** Body of the location that sends files; `scripts`: the named location for everything else. `isExact`: the location is for one path. */
export function renderPhpFiles(
  { target: { php } }: PhpRoute,
  {
    variable,
    features,
    scripts,
    isExact,
  }: { variable: string; features: Pick<NginxFeatures, 'brotliStaticModule'>; scripts: string; isExact: boolean },
): string[] {
  return [
    `root ${quote(php.root)};`,
    ...renderLinkCheck(php),
    ...renderShortcuts(php, features),
    // relative links of the directory's page depend on the slash
    `if (-f $document_root${variable}_slash) {`,
    '    rewrite ^(.*)$ $1/ permanent;',
    '}',
    `try_files ${variable}_file ${variable}_page ${scripts};`,
    // nginx accepts no location inside an exact one
    ...(isExact ? [] : hiddenFiles),
  ]
}

/** Lines that choose the script: an existing file below the root. `isChosen`: an earlier location has chosen it. */
export function renderScript(
  { target: { php } }: PhpRoute,
  { variable, isChosen }: { variable: string; isChosen: boolean },
): string[] {
  return [
    `root ${quote(php.root)};`,
    ...(isChosen
      ? []
      : [
          ...renderLinkCheck(php),
          // before try_files changes the path
          `set $monohull_path_info ${variable}_info;`,
          `try_files ${variable}_script${php.frontController ? ` ${variable}_front` : ''} =404;`,
        ]),
    'fastcgi_param PATH_INFO $monohull_path_info if_not_empty;',
    `fastcgi_param DOCUMENT_ROOT ${php.scriptRoot};`,
    `fastcgi_param SCRIPT_FILENAME ${php.scriptRoot}$uri;`,
    `fastcgi_param SCRIPT_NAME ${quote(`${php.mount}$uri`)};`,
    `fastcgi_param DOCUMENT_URI ${quote(`${php.mount}$uri`)};`,
    // WordPress offers permalinks without index.php to servers that it knows
    'fastcgi_param SERVER_SOFTWARE nginx;',
    'fastcgi_param SERVER_ADDR $server_addr;',
    'fastcgi_param REDIRECT_STATUS 200;',
    'fastcgi_param GATEWAY_INTERFACE CGI/1.1;',
  ]
}

function escapeRegex(text: string): string {
  return text.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&')
}
