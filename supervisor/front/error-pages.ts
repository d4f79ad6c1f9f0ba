import { quote } from '../nginx/text.ts'
import { type ErrorPage, renderErrorPage } from './error-page.ts'
import { includeHeaders } from './headers.ts'
import { isCounted, type Limits, type RouteLimits } from './limits.ts'
import { unavailableRule } from './unavailable.ts'

/** Pages for errors that nginx itself answers with. */
export interface ErrorPages {
  /** The user's own HTML, by status. */
  errorPages: ReadonlyMap<string, string>
  limits: Limits
  /** Asked for at all. */
  clientCertificates: object | undefined
}

interface BuiltIn extends ErrorPage {
  status: string
  json: Record<string, unknown>
}

const folder = 'pages'

/** Files that go beside the rendered ones, by name. */
export function errorPageFiles(pages: ErrorPages, routes: readonly RouteLimits[]): [string, string][] {
  const builtIn = builtInPages(pages, routes)
  return [
    ...[...builtIn].flatMap(([name, page]): [string, string][] => [
      [`${folder}/${name}.html`, pages.errorPages.get(page.status) ?? renderErrorPage(page)],
      [`${folder}/${name}.json`, `${JSON.stringify(page.json)}\n`],
    ]),
    ...[...pages.errorPages]
      .filter(([status]) => !builtIn.has(status))
      .map(([status, html]): [string, string] => [`${folder}/${status}.html`, html]),
  ]
}

/** For the server block; `configDirectory` is where nginx finds the files in use. */
export function renderErrorPages(pages: ErrorPages, routes: readonly RouteLimits[], configDirectory: string): string[] {
  const rules = renderRules(pages, routes, pages.limits.bodySize && '413')
  const hasFiles = errorPageFiles(pages, routes).length > 0
  return [
    ...(rules.length > 0 ? ['# max_body_size, error_pages', ...rules] : []),
    ...(hasFiles
      ? [
          'location ^~ /.monohull/pages/ {',
          '    include snippets/internal.conf;',
          `    ${includeHeaders}`,
          '    add_header Cache-Control no-store always;',
          '    add_header Vary Accept always;',
          ...(isCounted([pages.limits, ...routes]) ? ['    add_header Retry-After $monohull_retry_after always;'] : []),
          `    alias ${quote(`${configDirectory}/${folder}/`)};`,
          '}',
        ]
      : []),
  ]
}

/**
 * For the locations of a route with another page for 413, or with `own` rules for 502 to 504: nginx takes none of the server's
 * rules beside one.
 */
export function renderRouteErrorPages(
  pages: ErrorPages,
  routes: readonly RouteLimits[],
  { bodySize, own }: RouteLimits & { own?: readonly string[] | undefined },
): string[] {
  const hasOwnSize = bodySize !== undefined && ownSizes(pages, routes).includes(bodySize)
  if (!hasOwnSize && !own) return []
  const tooLargeName = hasOwnSize ? `413-${bodySize}` : pages.limits.bodySize && '413'
  return [...renderRules(pages, routes, tooLargeName), ...(own ?? [unavailableRule])]
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

/** By the name of their files. */
function builtInPages(pages: ErrorPages, routes: readonly RouteLimits[]): Map<string, BuiltIn> {
  const { bodySize } = pages.limits
  return new Map([
    ...(bodySize ? [['413', tooLarge(bodySize)] as const] : []),
    ...ownSizes(pages, routes).map(size => [`413-${size}`, tooLarge(size)] as const),
    ...(isCounted([pages.limits, ...routes]) ? [['429', tooMany] as const] : []),
    ...(pages.clientCertificates
      ? ([
          ['495', refusedCertificate],
          ['496', noCertificate],
        ] as const)
      : []),
  ])
}

/** Sizes that only routes have as a limit; 0 is none. */
function ownSizes({ limits }: ErrorPages, routes: readonly RouteLimits[]): string[] {
  const sizes = new Set(routes.flatMap(({ bodySize }) => bodySize ?? []))
  return [...sizes].filter(size => size !== '0' && size !== limits.bodySize)
}

/** 495 and 496 are nginx's own words for it. */
const clientCertificateRules = ['495', '496'].map(
  status => `error_page ${status} =403 /.monohull/pages/${status}.$monohull_page_type;`,
)

function tooLarge(limit: string): BuiltIn {
  const message = `A request may bring at most ${limit} here. Who runs this server can raise max_body_size.`
  return builtIn('413', 'Too large', { error: 'too_large', message, limit, key: 'max_body_size' })
}

const tooMany = builtIn('429', 'Too many requests', {
  error: 'too_many_requests',
  message: 'More requests came from your address than are let in. Please try again in a moment.',
})

const noCertificate = builtIn('403', 'A certificate is needed', {
  error: 'client_certificate_required',
  message: 'This page is for clients with a certificate, and none was sent. Install yours, and start the browser anew.',
})

const refusedCertificate = builtIn('403', 'Certificate refused', {
  error: 'client_certificate_refused',
  message: 'The certificate that was sent is not taken here: it has expired, was revoked, or comes from another CA.',
})

function builtIn(status: string, title: string, json: BuiltIn['json'] & { message: string }): BuiltIn {
  return { status, title, message: json.message, json }
}
