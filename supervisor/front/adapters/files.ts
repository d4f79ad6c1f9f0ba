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

/** What the front takes from the user's files. */
export interface FrontFiles {
  /** Path of the htpasswd file, which nginx reads itself. */
  passwords: string | undefined
  /** HTML by status. */
  errorPages: ReadonlyMap<string, string>
  /** Folders by path, both with a slash at the end. */
  sendFiles: ReadonlyMap<string, string>
  clientCertificates: ClientCertificates | undefined
}

export interface FrontFilesSources {
  /** What relative paths start at. */
  directory: string
  /** nginx's workers; undefined: as monohull itself. */
  nginxUser: Account | undefined
  complain: Complain
}

/** Looks for the files that the front's keys name. */
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
        const folder = findFolder(`send_files.${path}`, name, sources)
        return folder === undefined ? [] : [[path, folder]]
      }),
    ),
  }
}

function findFolder(
  key: string,
  name: string,
  { directory, nginxUser, complain }: FrontFilesSources,
): string | undefined {
  const folder = resolve(directory, name)
  if (isUnfitPath(folder)) complain(key, folder, 'holds characters that nginx cannot take in a path', 'rename it')
  else if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    complain(key, name, 'is no folder', 'name a folder')
  else {
    const closed = nginxUser && findClosedDirectory(folder, nginxUser)
    if (!closed) return `${folder}/`
    complain(key, name, `cannot be entered by user ${nginxUser.name}`, `chmod o+x ${closed}, or move the folder`)
  }
  return undefined
}
