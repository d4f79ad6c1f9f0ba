import { callLua, quote } from '../nginx/text.ts'
import { renderErrorPage } from './error-page.ts'
import { includeHeaders } from './headers.ts'

/** Page for visitors while no worker is available. */
export interface UnavailablePage {
  /** Custom page that replaces the built-in one. */
  own: string | undefined
}

const retryAfterSeconds = 5
const message = 'The application is currently unavailable. Please try again in a few seconds.'

/** The page as the last parameter of `error_page`. */
export const pageRule = '/.monohull/unavailable.$monohull_page_type;'

/**
 * Rules for the server block, or for a location with its own error rules. nginx itself responds with 500 if it has no room for a body,
 * no connection or no descriptor left, and clients may try again. With retries, 502 leads to another try or to a page that has the
 * status itself.
 */
export function unavailableRules(hasRetries: boolean): string[] {
  return [
    ...(hasRetries
      ? ['error_page 502 = $monohull_after_502;', `error_page 503 504 ${pageRule}`]
      : [`error_page 502 503 504 ${pageRule}`]),
    `error_page 500 =503 ${pageRule}`,
  ]
}

/** Files in addition to the rendered ones, by name. Changing or deleting the user's own file does not affect these copies. */
export function unavailableFiles({ own }: UnavailablePage): [string, string][] {
  return [
    ['pages/unavailable.html', own ?? renderErrorPage({ title: 'Back in a moment', message })],
    ['pages/unavailable.json', `${JSON.stringify({ error: 'unavailable', message })}\n`],
  ]
}

/**
 * Lines for the server block: the page, or JSON for clients that accept it. `configDirectory` contains the files in use, `phases` what
 * nginx runs for the page.
 */
export function renderUnavailable(
  configDirectory: string,
  { hasRetries, phases }: { hasRetries: boolean; phases: readonly string[] },
): string[] {
  return [
    '# maintenance_page',
    ...unavailableRules(hasRetries),
    ...['unavailable', ...(hasRetries ? ['bad-gateway'] : [])].flatMap(name =>
      renderPage(name, configDirectory, phases),
    ),
  ]
}

function renderPage(name: string, configDirectory: string, phases: readonly string[]): string[] {
  return [
    ...['html', 'json'].flatMap(type => [
      `location = /.monohull/${name}.${type} {`,
      '    include snippets/internal.conf;',
      '    charset utf-8;',
      ...(name === 'bad-gateway' ? [`    ${callLua('header_filter', 'retry.bad_gateway')}`] : []),
      ...phases.map(line => `    ${line}`),
      `    ${includeHeaders}`,
      `    alias ${quote(`${configDirectory}/pages/unavailable.${type}`)};`,
      `    add_header Retry-After ${retryAfterSeconds} always;`,
      '    add_header Cache-Control no-store always;',
      '    add_header Vary Accept always;',
      '}',
    ]),
  ]
}
