import { dirname, resolve } from 'node:path'
import { describeUnread, readRegularFile } from '../../base/adapters/regular-file.ts'
import type { Complain } from '../../config/report.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { type Account, canRead, findClosedDirectory } from '../../processes/adapters/users.ts'
import { findBadPassword } from '../password-file.ts'

/** Context of an htpasswd file in the configuration. */
export interface PasswordSources {
  /** Key that names the file. */
  key: string
  /** Base of relative paths. */
  directory: string
  /** User that nginx's workers run as; undefined: monohull's own. */
  nginxUser: Account | undefined
  complain: Complain
}

/** Absolute path of an htpasswd file. Reports problems; undefined if it cannot be read. */
export function findPasswords(
  name: string,
  { key, directory, nginxUser, complain }: PasswordSources,
): string | undefined {
  const path = resolve(directory, name)
  if (isUnfitPath(path)) {
    complain(key, path, 'contains characters that nginx would misread in a path', 'rename it')
    return undefined
  }
  try {
    const problem = findBadPassword(readRegularFile(path).toString())
    if (problem) complain(key, path, problem, 'write it with: htpasswd -B FILE NAME')
  } catch (error) {
    complain(key, path, describeUnread(error), 'name an htpasswd file')
    return undefined
  }
  const closed = nginxUser && findClosedDirectory(dirname(path), nginxUser)
  if (nginxUser && (closed || !canRead(path, nginxUser))) {
    const fix = closed ? `chmod o+x ${closed}, or move the file` : `chgrp ${nginxUser.name} ${path}; chmod g+r ${path}`
    complain(key, path, `is not readable by ${nginxUser.name}, the user nginx runs as`, fix)
  }
  return path
}
