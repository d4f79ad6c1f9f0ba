import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import type { World } from '../../base/world.ts'
import { type Complain, secretMask } from '../../config/report.ts'
import { findProgram, searchPath } from './project.ts'
import { type Account, canSwitchUsers, findAccount, findClosedDirectory } from './users.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Directory, user and environment of a program from the configuration. */
export interface ProgramContext {
  directory: string
  /** Search path for programs. */
  path: string
  /** User that it runs as; undefined: monohull's own. */
  account: Account | undefined
  /** Configured variables with the values of their secrets. */
  env: Record<string, string>
}

/** Keys of a program's directory, user and environment. */
export interface ProgramKeys {
  directory: string
  user?: string | undefined
  /** Values, or files that contain them. */
  env: Readonly<Record<string, string | { file: string }>>
}

/** Search path for programs: PATH, or a default. */
export function pathOf({ env }: World): string {
  return env.PATH ?? defaultPath
}

/** Context of the program configured at `key`. Reports problems; undefined if the directory does not exist. */
export function findProgramContext(
  key: string,
  config: ProgramKeys,
  world: World,
  complain: Complain,
): ProgramContext | undefined {
  const directory = resolve(config.directory)
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    complain(`${key}.directory`, config.directory, 'is not a directory', 'set the directory of the app')
    return undefined
  }
  return {
    directory,
    path: searchPath(directory, pathOf(world)),
    account: chooseAccount(key, config.user, complain),
    env: readSecrets(key, config.env, { directory, complain }),
  }
}

function chooseAccount(key: string, user: string | undefined, complain: Complain): Account | undefined {
  const account = findAccount(user ?? 'app')
  if (user !== undefined && !account)
    complain(
      `${key}.user`,
      user,
      'is not a user of this system',
      `add it with useradd in the Dockerfile, or remove ${key}.user`,
    )
  if (canSwitchUsers()) return account
  if (user !== undefined && account && account.uid !== process.getuid?.()) {
    complain(
      `${key}.user`,
      user,
      `cannot be switched to: user ${process.getuid?.()} lacks CAP_SETUID, CAP_SETGID, CAP_CHOWN or CAP_KILL`,
      `start monohull as root with these capabilities, or remove ${key}.user`,
    )
  }
  return undefined
}

function readSecrets(
  key: string,
  configured: ProgramKeys['env'],
  { directory, complain }: { directory: string; complain: Complain },
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(configured)) {
    if (typeof value === 'string') {
      env[name] = value
      continue
    }
    try {
      env[name] = readFileSync(resolve(directory, value.file), 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      complain(`${key}.env.${name}`, secretMask, messageOf(error), 'name a readable file')
    }
  }
  return env
}

/** Reports a problem if the first word of the command at `key` cannot be run. */
export function checkProgram(
  key: string,
  argv: readonly string[],
  { context, complain }: { context: Pick<ProgramContext, 'directory' | 'path'>; complain: Complain },
): void {
  const [program = ''] = argv
  const search = findProgram(program, context.directory, context.path)
  if (search.kind === 'not found')
    complain(
      key,
      program,
      'was not found',
      `install it in the image, or fix the command; searched ${program.includes('/') ? context.directory : context.path}`,
    )
  if (search.kind === 'not executable')
    complain(key, search.path, 'is not executable', `chmod +x ${search.path}, or name its interpreter: node ${program}`)
}

/** Reports a problem if `account` cannot enter `path`. Monohull itself may run as root and read everything. */
export function checkAccess(key: string, path: string, account: Account | undefined, complain: Complain): void {
  const closed = account && findClosedDirectory(path, account)
  if (closed)
    complain(
      `${key}.directory`,
      path,
      `cannot be entered by user ${account.name}: it has no access to ${closed}`,
      `chmod o+x ${closed}, or move the app`,
    )
}

/** Variables that tell a program its user. */
export function accountEnv(account: Account | undefined): Record<string, string> {
  return account ? { HOME: account.home, USER: account.name, LOGNAME: account.name } : {}
}
