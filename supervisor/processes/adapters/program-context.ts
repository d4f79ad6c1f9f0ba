import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import type { World } from '../../base/world.ts'
import { type Complain, secretMask } from '../../config/report.ts'
import { findProgram, searchPath } from './project.ts'
import { type Account, canSwitchUsers, findAccount, findClosedDirectory } from './users.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Where, as whom and with which variables a program of the configuration runs. */
export interface ProgramContext {
  directory: string
  /** Search path for programs. */
  path: string
  /** Undefined: as monohull itself. */
  account: Account | undefined
  /** The configured variables, secrets read. */
  env: Record<string, string>
}

/** Keys of a program that say where and how it runs. */
export interface ProgramKeys {
  directory: string
  user?: string | undefined
  /** Values, or files to read them from. */
  env: Readonly<Record<string, string | { file: string }>>
}

/** Search path for programs, where nothing else is said. */
export function pathOf({ env }: World): string {
  return env.PATH ?? defaultPath
}

/** Looks for the folder, the user and the secrets of what is configured at `key`; undefined when the folder is missing. */
export function findProgramContext(
  key: string,
  config: ProgramKeys,
  world: World,
  complain: Complain,
): ProgramContext | undefined {
  const directory = resolve(config.directory)
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    complain(`${key}.directory`, config.directory, 'is no folder', 'name the folder of the app')
    return undefined
  }
  return {
    directory,
    path: searchPath(directory, pathOf(world)),
    account: chooseAccount(key, config.user, complain),
    env: readSecrets(key, config.env, { directory, complain }),
  }
}

function chooseAccount(key: string, wanted: string | undefined, complain: Complain): Account | undefined {
  const account = findAccount(wanted ?? 'app')
  if (wanted !== undefined && !account)
    complain(
      `${key}.user`,
      wanted,
      'is no user of this system',
      `useradd it in the Dockerfile, or leave ${key}.user out`,
    )
  if (canSwitchUsers()) return account
  if (wanted !== undefined && account && account.uid !== process.getuid?.()) {
    complain(
      `${key}.user`,
      wanted,
      `cannot be switched to by user ${process.getuid?.()} without CAP_SETUID, CAP_SETGID, CAP_CHOWN and CAP_KILL`,
      `start monohull as root, or leave ${key}.user out`,
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

/** Whether the first word of the command at `key` can be run. */
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
      `install it in the image, or mend the command; looked in ${program.includes('/') ? context.directory : context.path}`,
    )
  if (search.kind === 'not executable')
    complain(key, search.path, 'is not executable', `chmod +x ${search.path}, or name its interpreter: node ${program}`)
}

/** Started as root, monohull reads everything; the users it starts others as may not. */
export function checkAccess(key: string, path: string, account: Account | undefined, complain: Complain): void {
  const closed = account && findClosedDirectory(path, account)
  if (closed)
    complain(
      `${key}.directory`,
      path,
      `cannot be entered by user ${account.name}: ${closed} is closed to it`,
      `chmod o+x ${closed}, or move the app`,
    )
}

/** What tells a program who it is. */
export function accountEnv(account: Account | undefined): Record<string, string> {
  return account ? { HOME: account.home, USER: account.name, LOGNAME: account.name } : {}
}
