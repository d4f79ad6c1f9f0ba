import { type ErrorPage, renderErrorPage } from '../front/error-page.ts'
import { includeHeaders } from '../front/headers.ts'
import { block, callLua, quote } from '../nginx/text.ts'
import type { DynamicHosts } from './hosts.ts'

interface RoutePage extends ErrorPage {
  /** Name of the files. */
  name: string
  status: number
  error: string
}

const tooLarge: RoutePage = {
  name: 'route-too-large',
  status: 413,
  error: 'too_large',
  title: 'Request too large',
  message: 'The request body is larger than this site accepts.',
}

const unknownHost: RoutePage = {
  name: 'unknown-host',
  status: 404,
  error: 'unknown_host',
  title: 'No site at this address',
  message: 'Nothing is published under this name. Please check the address.',
}

/** Files of the pages that dynamic routes respond with, by name. */
export function routePageFiles(hosts: Pick<DynamicHosts, 'unknown'>): [string, string][] {
  return pagesOf(hosts).flatMap((page): [string, string][] => [
    [`pages/${page.name}.html`, renderErrorPage(page)],
    [`pages/${page.name}.json`, `${JSON.stringify({ error: page.error, message: page.message })}\n`],
  ])
}

/** Locations of these pages, which nginx/lua/monohull/route_pages.lua enters. `configDirectory` contains the files in use. */
export function renderRoutePages(hosts: Pick<DynamicHosts, 'unknown'>, configDirectory: string): string[] {
  return pagesOf(hosts).flatMap(({ name, status }) =>
    ['html', 'json'].flatMap(type =>
      block(`= /.monohull/${name}.${type}`, [
        'include snippets/internal.conf;',
        'charset utf-8;',
        callLua('header_filter', 'route_pages.set_status', `${status}`),
        includeHeaders,
        'add_header Cache-Control no-store always;',
        'add_header Vary Accept always;',
        `alias ${quote(`${configDirectory}/pages/${name}.${type}`)};`,
      ]),
    ),
  )
}

function pagesOf({ unknown }: Pick<DynamicHosts, 'unknown'>): RoutePage[] {
  return [tooLarge, ...(unknown === 'page' ? [unknownHost] : [])]
}
