import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Complain } from '../../config/report.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { type Account, findClosedDirectory } from '../../processes/adapters/users.ts'
import type { ClientCertificates } from '../client-certificates.ts'
import { type ClientCertificateKeys, readClientCertificates } from './client-certificates.ts'
import { readHtmlPage } from './html-page.ts'
import { findPasswords } from './passwords.ts'

/** Keys of the front that name files. */
export interface FrontFileKeys extends ClientCertificateKeys {
  basic_auth: { file?: string | undefined }
  error_pages: Readonly<Record<string, string>>
  send_files: Readonly<Record<string, string>>
}

/** User's files for the front. */
export interface FrontFiles {
  /** Path of the htpasswd file, which nginx reads itself. */
  passwords: string | undefined
  /** HTML by status. */
  errorPages: ReadonlyMap<string, string>
  /** Directories by path prefix, both with a slash at the end. */
  sendFiles: ReadonlyMap<string, string>
  clientCertificates: ClientCertificates | undefined
}

/** Context of the front's keys. */
export interface FrontFilesSources {
  /** Base of relative paths. */
  directory: string
  /** User that nginx's workers run as; undefined: monohull's own. */
  nginxUser: Account | undefined
  complain: Complain
}

/** Finds and reads the files that the front's keys name. Reports problems. */
export function findFrontFiles(config: FrontFileKeys, sources: FrontFilesSources): FrontFiles {
  return {
    clientCertificates: readClientCertificates(config, sources),
    passwords:
      config.basic_auth.file === undefined
        ? undefined
        : findPasswords(config.basic_auth.file, { key: 'basic_auth.file', ...sources }),
    errorPages: new Map(
      Object.entries(config.error_pages).flatMap(([status, path]) => {
        const page = readHtmlPage(path, sources.directory)
        if (!page.ok) sources.complain(`error_pages.${status}`, path, page.problem, page.fix)
        return page.ok && page.text !== undefined ? [[status, page.text]] : []
      }),
    ),
    sendFiles: new Map(
      Object.entries(config.send_files).flatMap(([path, name]) => {
        const found = findDirectory(`send_files.${path}`, name, sources)
        return found === undefined ? [] : [[path, found]]
      }),
    ),
  }
}

function findDirectory(
  key: string,
  name: string,
  { directory, nginxUser, complain }: FrontFilesSources,
): string | undefined {
  const path = resolve(directory, name)
  if (isUnfitPath(path)) complain(key, path, 'contains characters that nginx would misread in a path', 'rename it')
  else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    complain(key, name, 'is not a directory', 'name a directory')
  else {
    const closed = nginxUser && findClosedDirectory(path, nginxUser)
    if (!closed) return `${path}/`
    complain(key, name, `cannot be entered by user ${nginxUser.name}`, `chmod o+x ${closed}, or move the directory`)
  }
  return undefined
}
