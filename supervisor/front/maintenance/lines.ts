import { callLuaToGet, quote } from '../../nginx/text.ts'
import { includeHeaders } from '../headers.ts'

/** Directory in nginx's working directory with the switch and the pages of maintenance. */
export const maintenanceDirectory = 'maintenance'
/** File that exists during maintenance, with the addresses of clients who are let in. */
export const switchName = 'on'

/** Seconds after which clients may try again. */
const retryAfterSeconds = 60

const page = '/.monohull/maintenance'
const types = ['html', 'json']

/** Parts of nginx's model that maintenance depends on. */
export interface MaintenanceModel {
  /** nginx's working directory. */
  workDir: string
  /** Paths that stay open. */
  open: readonly string[]
  acmeChallenges: string | undefined
  /** Routes to pages of monohull itself, by which maintenance is ended. They have a guard of their own. */
  ownPages: readonly OwnPage[]
}

/** Route to a page of monohull itself. */
export interface OwnPage {
  /** `www.example.com` or `*.example.com`; undefined: any host. */
  host: string | undefined
  path: string
  isExact: boolean
}

/**
 * Lines for the http block: the file whose existence closes a path; health checks, ACME challenges and the page itself stay open. With Lua, this map
 * is read during maintenance only.
 */
export function renderMaintenanceMap({ workDir, open, acmeChallenges, ownPages }: MaintenanceModel): string[] {
  const file = quote(`${workDir}/${maintenanceDirectory}/${switchName}`)
  return [
    '',
    '# maintenance_page',
    ...(ownPages.length === 0
      ? []
      : [
          'map $host$uri $monohull_maintenance_of_host {',
          '    volatile;',
          `    default ${file};`,
          ...ownPages.map(one => `    ${quote(patternOf(one))} '';`),
          '}',
        ]),
    'map $uri $monohull_maintenance_switch {',
    // the page has another path than the request
    '    volatile;',
    `    default ${ownPages.length === 0 ? file : '$monohull_maintenance_of_host'};`,
    ...(acmeChallenges === undefined ? [] : [`    ~^/\\.well-known/acme-challenge/ '';`]),
    ...[...open, ...types.map(type => `${page}.${type}`)].map(path => `    ${path} '';`),
    '}',
  ]
}

function patternOf({ host, path, isExact }: OwnPage): string {
  const literally = (text: string) => text.replace(/[.+]/g, '\\$&')
  const anyLabels = '[^/]+'
  const hosts = host === undefined ? '[^/]*' : literally(host).replace('*', anyLabels)
  return `~^${hosts}${path === '/' ? '' : literally(path)}${isExact ? '$' : '(/|$)'}`
}

/** Lines for each server block: 503 for everyone, or with Lua for clients who are not let in. One stat(2) for each request. */
export function renderMaintenance(workDir: string, { hasLua }: { hasLua: boolean }): string[] {
  const directory = `${workDir}/${maintenanceDirectory}`
  const close = `rewrite ^ ${page} last;`
  const check = callLuaToGet('$monohull_is_closed', 'maintenance.is_closed', `${directory}/${switchName}`)
  return [
    '# maintenance_page',
    ...(hasLua
      ? [
          "set $monohull_is_closed '';",
          `if (-f ${quote(`${directory}/${switchName}`)}) {`,
          `    ${check}`,
          '}',
          'if ($monohull_is_closed) {',
          `    ${close}`,
          '}',
        ]
      : ['if (-f $monohull_maintenance_switch) {', `    ${close}`, '}']),
    `location = ${page} {`,
    '    include snippets/internal.conf;',
    `    error_page 503 ${page}.$monohull_page_type;`,
    '    return 503;',
    '}',
    ...types.flatMap(type => [
      `location = ${page}.${type} {`,
      '    include snippets/internal.conf;',
      '    charset utf-8;',
      `    ${includeHeaders}`,
      `    alias ${quote(`${directory}/page.${type}`)};`,
      `    add_header Retry-After ${retryAfterSeconds} always;`,
      '    add_header Cache-Control no-store always;',
      '    add_header Vary Accept always;',
      '}',
    ]),
  ]
}
