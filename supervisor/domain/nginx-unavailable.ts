import { includeHeaders } from './nginx-headers.ts'
import { quote } from './nginx-text.ts'

/** What visitors get while no worker answers. */
export interface UnavailablePage {
  /** Folder with the page and the JSON of the installation. */
  builtIn: string
  /** The user's own page, which takes the place of the one built in. */
  own: string | undefined
}

const retryAfterSeconds = 5
/** In the rendered configuration, so that nothing that happens to the user's file changes what is served. */
const ownPage = 'pages/unavailable.html'

/** Files that go beside the rendered ones, by name. */
export function unavailableFiles({ own }: UnavailablePage): [string, string][] {
  return own === undefined ? [] : [[ownPage, own]]
}

/** For the server block: a page, or JSON for who asks for it; `configFolder` is where nginx finds the files in use. */
export function renderUnavailable({ builtIn, own }: UnavailablePage, configFolder: string): string[] {
  const page = own === undefined ? `${builtIn}/unavailable.html` : `${configFolder}/${ownPage}`
  return [
    'error_page 502 503 504 /.monohull/unavailable.$monohull_page_type;',
    ...renderFile('/.monohull/unavailable.html', page),
    ...renderFile('/.monohull/unavailable.json', `${builtIn}/unavailable.json`),
  ]
}

function renderFile(path: string, file: string): string[] {
  return [
    `location = ${path} {`,
    '    internal;',
    `    ${includeHeaders}`,
    `    alias ${quote(file)};`,
    `    add_header Retry-After ${retryAfterSeconds} always;`,
    '    add_header Cache-Control no-store always;',
    '    add_header Vary Accept always;',
    '}',
  ]
}
