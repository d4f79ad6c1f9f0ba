import { quote } from '../nginx/text.ts'
import { includeHeaders, type ResponseHeader, renderGivenHeaders } from './headers.ts'

/** Folders by the paths that an app names in X-Accel-Redirect; both end with a slash. */
export type SendFiles = ReadonlyMap<string, string>

/** For the server block. */
export function renderSendFiles(folders: SendFiles, headers: readonly ResponseHeader[]): string[] {
  return [...folders].flatMap(([path, folder]) => [
    '# send_files',
    `location ^~ ${path} {`,
    '    include snippets/internal.conf;',
    `    ${includeHeaders}`,
    ...renderGivenHeaders(headers).map(line => `    ${line}`),
    `    alias ${quote(folder)};`,
    '}',
  ])
}
