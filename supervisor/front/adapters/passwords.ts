import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { isUnfitPath } from '../../nginx/text.ts'
import { type Account, canRead, findClosedDirectory } from '../../processes/adapters/users.ts'
import { findBadPassword } from '../password-file.ts'

export interface PasswordSources {
  /** The key of the configuration that names the file. */
  key: string
  /** What relative paths start at. */
  directory: string
  /** nginx's workers; undefined: as monohull itself. */
  nginxUser: Account | undefined
  complain: Complain
}

/** The path of an htpasswd file, when it is there. */
export function findPasswords(
  name: string,
  { key, directory, nginxUser, complain }: PasswordSources,
): string | undefined {
  const path = resolve(directory, name)
  if (isUnfitPath(path)) {
    complain(key, path, 'holds characters that nginx cannot take in a path', 'rename it')
    return undefined
  }
  try {
    const problem = findBadPassword(readFileSync(path, 'utf8'))
    if (problem) complain(key, path, problem, 'write it with: htpasswd -B FILE NAME')
  } catch (error) {
    complain(key, path, `cannot be read: ${errnoOf(error)}`, 'name an htpasswd file')
    return undefined
  }
  const closed = nginxUser && findClosedDirectory(dirname(path), nginxUser)
  if (nginxUser && (closed || !canRead(path, nginxUser))) {
    const fix = closed ? `chmod o+x ${closed}, or move the file` : `chgrp ${nginxUser.name} ${path}; chmod g+r ${path}`
    complain(key, path, `cannot be read by user ${nginxUser.name}, as whom nginx looks passwords up`, fix)
  }
  return path
}
