import { splitCommand } from '../config/command-words.ts'
import { findDocumentRoot, frontController } from './php-site.ts'
import { namesWorkspace } from './workspace-words.ts'

/** Content of the app: a command to run, a directory of PHP or of static files, or the welcome page. */
export type AppContent =
  | { kind: 'command'; argv: string[]; env: Record<string, string>; origin: string }
  | { kind: 'files'; root: string; origin: string }
  | { kind: 'php'; root: string; origin: string }
  | { kind: 'welcome'; origin: string }

/** The used fields of package.json. */
export interface PackageJson {
  name?: string
  version?: string
  main?: string
  scripts?: Record<string, string>
}

/** View of the app's directory, for choosing a command. */
export interface Project {
  packageJson: PackageJson | undefined
  isFile(path: string): boolean
  isDirectory(path: string): boolean
  /** URL of the module hook of the tsx that `program` would run; undefined if tsx is not found. */
  tsxLoader(program: string): string | undefined
}

/** Content of the app, or why there is none. */
export type CommandResult = { ok: true; content: AppContent } | { ok: false; problem: string; fix: string }

const packageManagers = new Set(['npm', 'yarn', 'pnpm'])
/** Commands of the package managers that are not scripts of the package. */
const managerCommands = new Set([
  'install',
  'i',
  'ci',
  'exec',
  'dlx',
  'test',
  'init',
  'publish',
  'node',
  'add',
  'remove',
])
/** Flags of the package managers that only affect their output. */
const quietFlags = new Set(['-s', '--silent', '-q', '--quiet'])
/** Shell builtins that may begin a script. */
const shellBuiltins = new Set([
  'exec',
  'cd',
  'export',
  'set',
  'unset',
  'eval',
  'source',
  '.',
  'ulimit',
  'umask',
  'command',
])
const staticDirectories = ['.', 'public', 'dist', 'build']

/** Content to run: the given command, or a guess from the files of the project. `php`: what the configuration says about PHP. */
export function chooseContent(
  command: readonly string[] | undefined,
  project: Project,
  php?: { root?: string | undefined },
): CommandResult {
  const [only = '.'] = command ?? []
  const isDirectory = command?.length === 1 && project.isDirectory(only)
  if (php && (isDirectory || !command)) return configuredPhp(only, project, php.root)
  if (command) {
    if (isDirectory) return phpIn(only, project) ?? found({ kind: 'files', root: only, origin: `directory ${only}` })
    return resolvePrefixed(command, { project, origin: only, above: [] })
  }
  const { packageJson } = project
  if (packageJson?.scripts?.start)
    return runScript({ script: 'start', extra: [] }, { project, origin: 'start script of package.json', above: [] })
  const main = packageJson ? (packageJson.main ?? 'index.js') : undefined
  if (main && project.isFile(main))
    return resolve(['node', main], { project, origin: 'main of package.json', above: [] })
  const foundPhp = phpIn('.', project)
  if (foundPhp) return foundPhp
  for (const directory of staticDirectories) {
    if (project.isFile(`${directory}/index.html`))
      return found({ kind: 'files', root: directory, origin: `${directory}/index.html` })
  }
  if (packageJson) {
    return {
      ok: false,
      problem: 'package.json has no start script, and its main file does not exist',
      fix: 'add a start script, or specify the command: monohull run node server.js',
    }
  }
  return found({ kind: 'welcome', origin: 'no app found' })
}

function configuredPhp(directory: string, project: Project, root: string | undefined): CommandResult {
  if (root !== undefined) return found({ kind: 'php', root, origin: 'php.root' })
  return (
    phpIn(directory, project) ?? {
      ok: false,
      problem: `contains neither ${frontController} nor public/${frontController}`,
      fix: 'set php.root to the document root of the PHP app',
    }
  )
}

function phpIn(directory: string, project: Project): CommandResult | undefined {
  const root = findDocumentRoot(directory, project)
  return root === undefined ? undefined : found({ kind: 'php', root, origin: `${root}/${frontController}` })
}

interface Context {
  project: Project
  /** Source of the command, for the log. */
  origin: string
  /** Scripts that led here, outermost first. */
  above: readonly string[]
}

/** Program of a command without what a shell accepts before it: `NODE_ENV=production node server.js`, `exec node server.js`. */
export function withoutPrefix(command: readonly string[]): { env: Record<string, string>; argv: string[] } {
  const argv = [...command]
  const env: Record<string, string> = {}
  for (let [word] = argv; word !== undefined; [word] = argv) {
    const match = assignment(word)
    if (match) env[match.name] = match.value
    else if (word !== 'exec' || argv[1]?.startsWith('-') !== false) break
    argv.shift()
  }
  return argv.length > 0 ? { env, argv } : { env: {}, argv: [...command] }
}

/** Whether a word is a command of the shell itself, so that no program has this name. */
export function isShellBuiltin(word: string): boolean {
  return shellBuiltins.has(word)
}

function resolvePrefixed(command: readonly string[], context: Context): CommandResult {
  const { env, argv } = withoutPrefix(command)
  const result = resolve(argv, { ...context, origin: argv[0] ?? '' })
  if (!result.ok || result.content.kind !== 'command') return result
  return found({ ...result.content, env: { ...result.content.env, ...env } })
}

/**
 * Resolves a command to the program that is actually run. A package manager would swallow signals and close inherited sockets, so its
 * script is run directly. tsx's command line uses descriptor 3 itself, so its module hook is used instead.
 */
function resolve(argv: string[], context: Context): CommandResult {
  const { project, origin } = context
  const [program = '', ...rest] = argv
  if (packageManagers.has(program)) {
    // the package manager finds the directory of the package, and passes the socket on
    if (namesWorkspace(program, rest)) return found({ kind: 'command', argv, env: {}, origin })
    const named = scriptOf(program, rest)
    if (named) return runScript(named, context)
  }
  if (/(^|\/)tsx$/.test(program)) {
    const loader = project.tsxLoader(program)
    if (!loader)
      return { ok: false, problem: `the command ${program} was not found`, fix: 'npm install tsx in the app' }
    return found({
      kind: 'command',
      argv: ['node', '--import', loader, ...(rest[0] === 'watch' ? rest.slice(1) : rest)],
      env: {},
      origin,
    })
  }
  if (/(^|\/)gunicorn$/.test(program)) {
    return found({ kind: 'command', argv: [program, ...withoutDescriptor(rest)], env: {}, origin })
  }
  return found({ kind: 'command', argv, env: {}, origin })
}

/**
 * Removes `--bind fd://3` from Gunicorn's arguments, because Gunicorn gets the socket from LISTEN_FDS. With both, it would open the socket
 * twice. With `--bind` alone, it removes the socket's path when it exits.
 */
function withoutDescriptor(words: readonly string[]): string[] {
  const isBind = (word: string | undefined) => word === '--bind' || word === '-b'
  return words.filter((word, index) => {
    if (word === '--bind=fd://3' || word === '-bfd://3') return false
    if (isBind(word) && words[index + 1] === 'fd://3') return false
    return !(word === 'fd://3' && isBind(words[index - 1]))
  })
}

function scriptOf(manager: string, words: string[]): { script: string; extra: string[] } | undefined {
  const [first = '', ...rest] = words.filter((word, index) => !(index < 2 && quietFlags.has(word)))
  const isRun = first === 'run' || first === 'run-script'
  const script = isRun ? (rest[0] ?? '') : first
  if (script === '' || script.startsWith('-')) return undefined
  if (!isRun && (managerCommands.has(script) || (manager === 'npm' && script !== 'start'))) return undefined
  const extra = isRun ? rest.slice(1) : rest
  return { script, extra: extra[0] === '--' ? extra.slice(1) : extra }
}

function runScript({ script, extra }: { script: string; extra: string[] }, context: Context): CommandResult {
  const { project, origin, above } = context
  const { packageJson } = project
  if (above.includes(script)) {
    const loop = [...above, script].join(' → ')
    return {
      ok: false,
      problem: `the scripts of package.json form a loop: ${loop}`,
      fix: 'make one of them start the app',
    }
  }
  const text = packageJson?.scripts?.[script]
  if (text === undefined) {
    return {
      ok: false,
      problem: `package.json has no script ${script}`,
      fix: `add it, or use another; available: ${Object.keys(packageJson?.scripts ?? {}).join(', ') || 'none'}`,
    }
  }
  const npmEnv = {
    npm_lifecycle_event: script,
    npm_package_name: packageJson?.name ?? '',
    npm_package_version: packageJson?.version ?? '',
  }
  const before = packageJson?.scripts?.[`pre${script}`]
  const plain = before === undefined ? splitAssignments(text) : undefined
  if (plain) {
    const inner = resolve([...plain.argv, ...extra], { project, origin, above: [...above, script] })
    if (!inner.ok || inner.content.kind !== 'command') return inner
    return found({ ...inner.content, env: { ...npmEnv, ...plain.env, ...inner.content.env }, origin })
  }
  // needs a shell; "$@" passes further words on unchanged
  const commandLine = `${before === undefined ? '' : `${before} && `}${text}${extra.length > 0 ? ' "$@"' : ''}`
  return found({
    kind: 'command',
    argv: ['/bin/sh', '-c', commandLine, ...(extra.length > 0 ? ['sh', ...extra] : [])],
    env: npmEnv,
    origin,
  })
}

/** Assignments and words of a script such as `A=1 node x`; undefined if it needs a shell. */
function splitAssignments(text: string): { env: Record<string, string>; argv: string[] } | undefined {
  const split = splitCommand(text)
  if (!split.ok || /[*?~#]|\$/.test(text)) return undefined
  const { env, argv } = withoutPrefix(split.words)
  const [program = ''] = argv
  return program !== '' && !assignment(program) && !shellBuiltins.has(program) ? { env, argv } : undefined
}

function assignment(word: string | undefined): { name: string; value: string } | undefined {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word ?? '')
  return match ? { name: match[1] ?? '', value: match[2] ?? '' } : undefined
}

function found(content: AppContent): CommandResult {
  return { ok: true, content }
}
