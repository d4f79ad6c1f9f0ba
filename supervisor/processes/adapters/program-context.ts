import { realpathSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { readTextFile } from '../../base/adapters/text-file.ts'
import { messageOf } from '../../base/errors.ts'
import { createSecret, secretMask } from '../../base/secret.ts'
import type { World } from '../../base/world.ts'
import { shellForm } from '../../config/command-words.ts'
import type { Complain } from '../../config/report.ts'
import { isShellBuiltin } from '../app-command.ts'
import { namesPort, type ProgramEnv } from '../environment.ts'
import { expandVariables } from '../variable-text.ts'
import { describeExecutableProblem, describeScriptProblem } from './executable.ts'
import { findProgram, searchPath } from './project.ts'
import { type Account, canSwitchUsers, findAccount, findClosedDirectory } from './users.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Directory, user and environment of a program from the configuration. */
export interface ProgramContext {
  directory: string
  /** Where the links in its name lead now. */
  realDirectory?: string
  /** Search path for programs. */
  path: string
  /** User that it runs as; undefined: monohull's own. */
  account: Account | undefined
  /** Configured variables, expanded, with the values of their secrets. */
  env: ProgramEnv
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
    realDirectory: realpathSync(directory),
    path: searchPath(directory, pathOf(world)),
    account: chooseAccount(key, config.user, complain),
    env: readEnv(`${key}.env`, config.env, { directory, world, complain }),
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

function readEnv(
  key: string,
  configured: ProgramKeys['env'],
  { directory, world, complain }: { directory: string; world: World; complain: Complain },
): ProgramEnv {
  const env: ProgramEnv = {}
  for (const [name, value] of Object.entries(configured)) {
    const shown = typeof value === 'string' ? secretMask : value.file
    const refuse = (problem: string, fix: string) => complain(`${key}.${name}`, shown, problem, fix)
    if (typeof value === 'string') {
      const expanded = expandVariables(value, world.env)
      if (expanded.ok) env[name] = expanded.text
      else
        refuse(
          `contains ${expanded.reference}, which is not set`,
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
          'set it, add a default as in ${NAME:-default}, or write $${ for the text',
        )
      continue
    }
    try {
      const text = readTextFile(resolve(directory, value.file)).replace(/\r?\n$/, '')
      if (text.includes('\0')) refuse('contains a NUL character', 'encode the value, for example in base64')
      env[name] = createSecret(text)
    } catch (error) {
      refuse(messageOf(error), 'name a readable text file')
    }
  }
  return env
}

/** Reports a problem if the command at `key` cannot be run. */
export function checkProgram(
  key: string,
  argv: readonly string[],
  { context, complain }: { context: Pick<ProgramContext, 'directory' | 'path'>; complain: Complain },
): void {
  const [program = ''] = argv
  const search = findProgram(program, context.directory, context.path)
  if (search.kind === 'not found') {
    const searched = program.includes('/') ? context.directory : context.path
    const local = interpreterFor(program, context.directory)
    const install = local ?? `install it in the image, or fix the command; searched ${searched}`
    complain(
      key,
      program,
      'was not found',
      isShellBuiltin(program) ? `it is part of a shell: write ${shellForm}` : install,
    )
  }
  if (search.kind === 'not executable')
    complain(key, search.path, 'is not executable', `chmod +x ${search.path}, or name its interpreter: node ${program}`)
  if (search.kind !== 'found') return
  const found = attempt(() => describeExecutableProblem(search.path, context) ?? describeScriptProblem(argv, context))
  if (found) complain(key, argv.slice(0, 2).join(' '), found.problem, found.fix)
}

const interpreters: Record<string, string> = {
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.ts': 'tsx',
  '.py': 'python3',
  '.rb': 'ruby',
  '.pl': 'perl',
  '.php': 'php',
  '.sh': 'sh',
}

/** Fix for a file of the app that is named like a program: `server.js`. */
function interpreterFor(program: string, directory: string): string | undefined {
  if (program.includes('/') || !statSync(resolve(directory, program), { throwIfNoEntry: false })?.isFile())
    return undefined
  const interpreter = interpreters[extname(program)]
  return `it is a file of the app: ${interpreter === undefined ? `./${program}` : `${interpreter} ${program}`}`
}

/** Result of looking into a program's file; undefined if this user may execute but not read it. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

/** Reports a problem if a command without a port of its own contains `$PORT`, which nothing would replace. */
export function checkPort(
  key: string,
  argv: readonly string[],
  { env, fix, complain }: { env: Readonly<Record<string, unknown>>; fix: string; complain: Complain },
): void {
  const word = argv.find(namesPort)
  if (word === undefined || (argv[1] === '-c' && env.PORT !== undefined)) return
  complain(key, word, 'contains $PORT, which has no value here', fix)
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
