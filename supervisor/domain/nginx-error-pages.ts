import { type ErrorPage, renderErrorPage } from './error-page.ts'
import { includeHeaders } from './nginx-headers.ts'
import type { Limits } from './nginx-limits.ts'
import { quote } from './nginx-text.ts'

/** Pages for errors that nginx itself answers with. */
export interface ErrorPages {
  /** The user's own HTML, by status. */
  errorPages: ReadonlyMap<string, string>
  limits: Limits
}

interface BuiltIn extends ErrorPage {
  json: Record<string, unknown>
}

const folder = 'pages'

/** Files that go beside the rendered ones, by name. */
export function errorPageFiles({ errorPages, limits }: ErrorPages): [string, string][] {
  return [
    ...[...builtIn(limits)].flatMap(([status, page]): [string, string][] => [
      [`${folder}/${status}.html`, renderErrorPage(page)],
      [`${folder}/${status}.json`, `${JSON.stringify(page.json)}\n`],
    ]),
    ...[...errorPages].map(([status, html]): [string, string] => [`${folder}/${status}.html`, html]),
  ]
}

/** For the server block; `configFolder` is where nginx finds the files in use. */
export function renderErrorPages({ errorPages, limits }: ErrorPages, configFolder: string): string[] {
  const withJson = [...builtIn(limits).keys()]
  const htmlOnly = [...errorPages.keys()].filter(status => !withJson.includes(status))
  if (withJson.length + htmlOnly.length === 0) return []
  const counts = limits.rate || limits.connections
  return [
    '# max_body_size, error_pages',
    ...withJson.map(status => `error_page ${status} /.monohull/pages/${status}.$monohull_page_type;`),
    ...htmlOnly.map(status => `error_page ${status} /.monohull/pages/${status}.html;`),
    'location ^~ /.monohull/pages/ {',
    '    internal;',
    '    include snippets/open.conf;',
    `    ${includeHeaders}`,
    '    add_header Cache-Control no-store always;',
    '    add_header Vary Accept always;',
    ...(counts ? [`    add_header Retry-After $monohull_retry_after always;`] : []),
    `    alias ${quote(`${configFolder}/${folder}/`)};`,
    '}',
  ]
}

function builtIn(limits: Limits): Map<string, BuiltIn> {
  const pages = new Map<string, BuiltIn>()
  if (limits.bodySize) {
    const message = `A request may bring at most ${limits.bodySize} here. Who runs this server can raise max_body_size.`
    const json = { error: 'too_large', message, limit: limits.bodySize, key: 'max_body_size' }
    pages.set('413', { title: 'Too large', message, json })
  }
  if (limits.rate || limits.connections) {
    const message = 'More requests came from your address than are let in. Please try again in a moment.'
    pages.set('429', { title: 'Too many requests', message, json: { error: 'too_many_requests', message } })
  }
  return pages
}
