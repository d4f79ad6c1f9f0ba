import { quote } from '../nginx/text.ts'
import { renderErrorPage } from './error-page.ts'
import { includeHeaders } from './headers.ts'

/** What visitors get while no worker answers. */
export interface UnavailablePage {
  /** The user's own page, which takes the place of the one built in. */
  own: string | undefined
}

const retryAfterSeconds = 5
const message = 'The application is not answering just now. Please try again in a few seconds.'

/** The page, to stand behind statuses. */
export const pageRule = '/.monohull/unavailable.$monohull_page_type;'

/** For the server block, or a location with rules of its own for errors. */
export const unavailableRule = `error_page 502 503 504 ${pageRule}`

/** Files that go beside the rendered ones, by name: nothing that happens to the user's own changes what is served. */
export function unavailableFiles({ own }: UnavailablePage): [string, string][] {
  return [
    ['pages/unavailable.html', own ?? renderErrorPage({ title: 'Back in a moment', message })],
    ['pages/unavailable.json', `${JSON.stringify({ error: 'unavailable', message })}\n`],
  ]
}

/** For the server block: a page, or JSON for who asks for it; `configDirectory` is where nginx finds the files in use. */
export function renderUnavailable(configDirectory: string): string[] {
  return [
    '# maintenance_page',
    unavailableRule,
    ...['html', 'json'].flatMap(type => [
      `location = /.monohull/unavailable.${type} {`,
      '    include snippets/internal.conf;',
      `    ${includeHeaders}`,
      `    alias ${quote(`${configDirectory}/pages/unavailable.${type}`)};`,
      `    add_header Retry-After ${retryAfterSeconds} always;`,
      '    add_header Cache-Control no-store always;',
      '    add_header Vary Accept always;',
      '}',
    ]),
  ]
}
