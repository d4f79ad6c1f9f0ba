import { quote } from '../nginx/text.ts'
import { type ErrorPage, renderErrorPage } from './error-page.ts'
import { includeHeaders } from './headers.ts'
import { isCounted, type Limits, type RouteLimits } from './limits.ts'
import { unavailableRules } from './unavailable.ts'

/** Pages for errors that nginx itself produces. */
export interface ErrorPages {
  /** Custom HTML by status. */
  errorPages: ReadonlyMap<string, string>
  limits: Limits
  /** Defined if client certificates are requested. */
  clientCertificates: object | undefined
}

/** Error rules of a route. */
interface RouteErrorRules {
  own?: readonly string[] | undefined
  more?: readonly string[]
  hasRetries: boolean
}

interface BuiltIn extends ErrorPage {
  status: string
  json: Record<string, unknown>
}

const directory = 'pages'

/** Files in addition to the rendered ones, by name. */
export function errorPageFiles(pages: ErrorPages, routes: readonly RouteLimits[]): [string, string][] {
  const builtIn = builtInPages(pages, routes)
  return [
    ...[...builtIn].flatMap(([name, page]): [string, string][] => [
      [`${directory}/${name}.html`, pages.errorPages.get(page.status) ?? renderErrorPage(page)],
      [`${directory}/${name}.json`, `${JSON.stringify(page.json)}\n`],
    ]),
    ...[...pages.errorPages]
      .filter(([status]) => !builtIn.has(status))
      .map(([status, html]): [string, string] => [`${directory}/${status}.html`, html]),
  ]
}

/** Lines for the server block. `configDirectory` contains the files in use. */
export function renderErrorPages(pages: ErrorPages, routes: readonly RouteLimits[], configDirectory: string): string[] {
  const rules = renderRules(pages, routes, pages.limits.bodySize && '413')
  const hasFiles = errorPageFiles(pages, routes).length > 0
  return [
    ...(rules.length > 0 ? ['# max_body_size, error_pages', ...rules] : []),
    ...(hasFiles
      ? [
          'location ^~ /.monohull/pages/ {',
          '    include snippets/internal.conf;',
          '    charset utf-8;',
          `    ${includeHeaders}`,
          '    add_header Cache-Control no-store always;',
          '    add_header Vary Accept always;',
          ...(isCounted([pages.limits, ...routes]) ? ['    add_header Retry-After $monohull_retry_after always;'] : []),
          `    alias ${quote(`${configDirectory}/${directory}/`)};`,
          '}',
        ]
      : []),
  ]
}

/**
 * Lines for the locations of a route with another page for 413, with `own` rules for 502 to 504, or with `more` rules. They include the server's rules, because
 * nginx does not inherit them next to others.
 */
export function renderRouteErrorPages(
  pages: ErrorPages,
  routes: readonly RouteLimits[],
  { bodySize, own, more = [], hasRetries }: RouteLimits & RouteErrorRules,
): string[] {
  const hasOwnSize = bodySize !== undefined && ownSizes(pages, routes).includes(bodySize)
  if (!hasOwnSize && !own && more.length === 0) return []
  const tooLargeName = hasOwnSize ? `413-${bodySize}` : pages.limits.bodySize && '413'
  // the first rule for a status applies
  return [...more, ...renderRules(pages, routes, tooLargeName), ...(own ?? unavailableRules(hasRetries))]
}

function renderRules(pages: ErrorPages, routes: readonly RouteLimits[], tooLargeName: string | undefined): string[] {
  const builtIn: [string, string][] = [
    ...(tooLargeName ? [['413', tooLargeName] as [string, string]] : []),
    ...(isCounted([pages.limits, ...routes]) ? [['429', '429'] as [string, string]] : []),
  ]
  const htmlOnly = [...pages.errorPages.keys()].filter(status => builtIn.every(([other]) => other !== status))
  return [
    ...(pages.clientCertificates ? clientCertificateRules : []),
    ...builtIn.map(([status, name]) => `error_page ${status} /.monohull/pages/${name}.$monohull_page_type;`),
    ...htmlOnly.map(status => `error_page ${status} /.monohull/pages/${status}.html;`),
  ]
}

/** Built-in pages by the name of their files. */
function builtInPages(pages: ErrorPages, routes: readonly RouteLimits[]): Map<string, BuiltIn> {
  const { bodySize } = pages.limits
  return new Map([
    ...(bodySize ? [['413', tooLarge(bodySize, pages)] as const] : []),
    ...ownSizes(pages, routes).map(size => [`413-${size}`, tooLarge(size, pages)] as const),
    ...(isCounted([pages.limits, ...routes]) ? [['429', tooMany] as const] : []),
    ...(pages.clientCertificates
      ? ([
          ['495', refusedCertificate],
          ['496', noCertificate],
        ] as const)
      : []),
  ])
}

/** Limits that only routes have; 0 means unlimited. */
function ownSizes({ limits }: ErrorPages, routes: readonly RouteLimits[]): string[] {
  const sizes = new Set(routes.flatMap(({ bodySize }) => bodySize ?? []))
  return [...sizes].filter(size => size !== '0' && size !== limits.bodySize)
}

/** nginx's own statuses for a rejected (495) and a missing (496) client certificate become 403. */
const clientCertificateRules = ['495', '496'].map(
  status => `error_page ${status} =403 /.monohull/pages/${status}.$monohull_page_type;`,
)

/** `10 MB` for nginx's `10m`. */
function formatSize(size: string): string {
  const [, amount = '', unit = ''] = /^(\d+)([kmg]?)$/.exec(size) ?? []
  return `${amount} ${unit === '' ? 'bytes' : `${unit.toUpperCase()}B`}`
}

function tooLarge(limit: string, { limits }: ErrorPages): BuiltIn {
  const isInMemory = limit === limits.spooledSize
  const key = isInMemory ? 'temp_dir' : 'max_body_size'
  const remedy = isInMemory ? 'set temp_dir to a directory on a disk' : 'raise max_body_size'
  const message = `Request bodies are limited to ${formatSize(limit)}. The server operator can ${remedy}.`
  return builtIn('413', 'Request too large', { error: 'too_large', message, limit, key })
}

const tooMany = builtIn('429', 'Too many requests', {
  error: 'too_many_requests',
  message: 'Too many requests from your address. Please try again in a moment.',
})

const noCertificate = builtIn('403', 'Client certificate required', {
  error: 'client_certificate_required',
  message:
    'This page requires a client certificate, and none was sent. Install your client certificate and restart the browser.',
})

const refusedCertificate = builtIn('403', 'Client certificate rejected', {
  error: 'client_certificate_refused',
  message:
    'Your client certificate was rejected: it has expired, was revoked, or comes from another CA, or this server cannot check it now. The server operator finds the reason with monohull status.',
})

function builtIn(status: string, title: string, json: BuiltIn['json'] & { message: string }): BuiltIn {
  return { status, title, message: json.message, json }
}
