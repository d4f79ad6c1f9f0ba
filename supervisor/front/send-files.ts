import { quote } from '../nginx/text.ts'
import { includeHeaders, type ResponseHeader, renderGivenHeaders } from './headers.ts'

/** Directories by the path prefixes that an app uses in X-Accel-Redirect. Both end with a slash. */
export type SendFiles = ReadonlyMap<string, string>

/** Lines for the server block. */
export function renderSendFiles(directories: SendFiles, headers: readonly ResponseHeader[]): string[] {
  return [...directories].flatMap(([path, directory]) => [
    '# send_files',
    `location ^~ ${path} {`,
    '    include snippets/internal.conf;',
    `    ${includeHeaders}`,
    ...renderGivenHeaders(headers).map(line => `    ${line}`),
    `    alias ${quote(directory)};`,
    '}',
  ])
}
