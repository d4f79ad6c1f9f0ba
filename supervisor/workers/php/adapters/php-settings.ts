import { globSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { messageOf } from '../../../base/errors.ts'
import type { World } from '../../../base/world.ts'
import type { Complain } from '../../../config/report.ts'
import { isUnfitPath } from '../../../nginx/text.ts'
import { readMemoryGroup } from '../../../processes/adapters/cgroup.ts'
import { checkAccess, type ProgramContext } from '../../../processes/adapters/program-context.ts'
import { type Account, canRead, canSwitchUsers, findAccount } from '../../../processes/adapters/users.ts'
import { chooseFpm, frontController as usualScript } from '../../../processes/php-site.ts'
import type { AppConfig } from '../../keys.ts'
import { planChildren } from '../children.ts'
import { describeFpmProblem, fpmCommand, fpmEnv, includesIn } from '../fpm.ts'
import type { PhpConfig } from '../keys.ts'
import type { PhpSite } from '../site.ts'

/** Directories of administrators' programs, which are not in every PATH. */
const adminDirectories = ['/usr/local/sbin', '/usr/sbin']
const install = 'install PHP-FPM in the image: apt-get install php-fpm, or apk add php84-fpm'

/** Values without the key `php`; loading the schema for them would delay each start. */
const defaults: PhpConfig = { front_controller: `/${usualScript}`, symlinks: false, ini: {} }

/** Inputs to the settings of a PHP app. */
export interface PhpSources {
  app: AppConfig
  context: ProgramContext
  world: World
  cpus: number
  /** Largest number of masters. */
  masters: number
  nginxUser: Account | undefined
  complain: Complain
}

/** Command and variables of PHP-FPM, and the user that it runs as. */
export interface PhpProgram {
  argv: string[]
  env: Record<string, string>
  account: Account | undefined
}

/** The served directory. Problems go to `complain`. */
export function findPhpSite(
  key: string,
  found: string | undefined,
  { app, context, nginxUser, complain }: PhpSources,
): PhpSite | undefined {
  const { root = found, front_controller: front, symlinks } = app.php ?? defaults
  if (root === undefined) return undefined
  const path = resolve(context.directory, root)
  const at = app.php?.root === undefined ? `${key}.command` : `${key}.php.root`
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    complain(at, path, 'is not a directory', 'set it to the document root of the PHP app')
  else if (front !== 'off' && !statSync(join(path, front), { throwIfNoEntry: false })?.isFile())
    complain(
      `${key}.php.front_controller`,
      front,
      `does not exist in ${path}`,
      'name the script that responds where no file exists, or set off',
    )
  if (isUnfitPath(path)) complain(at, path, 'contains characters that nginx would misread in a path', 'rename it')
  checkAccess(key, path, nginxUser, complain)
  return {
    root: path,
    frontController: front === 'off' ? undefined : front,
    followsLinks: symlinks,
    isLinked: isLinked(path),
  }
}

function isLinked(path: string): boolean {
  try {
    return realpathSync(path) !== path
  } catch {
    return false // it does not exist: a problem of its own
  }
}

/** PHP-FPM for a directory. Problems go to `complain`; undefined if it cannot run. */
export function findPhpProgram(
  key: string,
  { root, frontController }: PhpSite,
  sources: PhpSources,
): PhpProgram | undefined {
  const { app, context, world, cpus, masters, complain } = sources
  const program = findFpm(context.path)
  if (program === undefined) {
    complain(`${key}.command`, root, 'is a PHP app, and php-fpm was not found', install)
    return undefined
  }
  if (app.listen === 'port')
    complain(`${key}.listen`, app.listen, 'does not work with a PHP app: PHP-FPM gets its socket', 'remove it')
  if (app.protocol !== 'http' && app.protocol !== 'fastcgi')
    complain(`${key}.protocol`, app.protocol, 'does not work with a PHP app: PHP-FPM speaks fastcgi', 'remove it')
  const account = chooseAccount(key, context, complain)
  const script = frontController && join(root, frontController)
  if (account && script && statSync(script, { throwIfNoEntry: false }) && !canRead(script, account))
    complain(`${key}.php`, script, `is not readable by ${account.name}, the user PHP runs as`, `chmod o+r ${script}`)
  const { ini, max_children: max, config }: PhpConfig = app.php ?? defaults
  const own =
    config === undefined ? undefined : readOwnConfig(key, resolve(context.directory, config), { program, complain })
  const memoryBytes = Math.min(totalmem(), readMemoryGroup().limit() ?? Number.POSITIVE_INFINITY)
  const path = config === undefined ? join(world.home, 'php/fpm.conf') : resolve(context.directory, config)
  return {
    argv: fpmCommand({ program, config: path, ini }),
    env: fpmEnv({
      ownText: own,
      children: planChildren(max, { cpus: Math.ceil(cpus / masters), memoryBytes: memoryBytes / masters }),
      maxRequests: app.max_requests,
      gracefulTimeoutMs: app.graceful_timeout,
    }),
    account,
  }
}

/** Path of PHP-FPM, whose name contains its version on Debian. */
function findFpm(path: string): string | undefined {
  for (const directory of new Set([...path.split(delimiter), ...adminDirectories])) {
    const name = chooseFpm(namesIn(directory))
    if (name !== undefined) return join(directory, name)
  }
  return undefined
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory || '.')
  } catch {
    return [] // PATH may name directories that do not exist
  }
}

/** The configured user, else Debian's user for web programs: PHP-FPM refuses to run as root. */
function chooseAccount(key: string, { account }: ProgramContext, complain: Complain): Account | undefined {
  const chosen = account ?? (canSwitchUsers() ? findAccount('www-data') : undefined)
  if ((chosen?.uid ?? process.geteuid?.()) === 0)
    complain(`${key}.user`, chosen?.name, 'would be root, as whom PHP-FPM runs no scripts', `set ${key}.user`)
  return chosen
}

/** Text of the user's php-fpm.conf with the files that it includes. Their paths are relative to the prefix that PHP was built with. */
function readOwnConfig(
  key: string,
  path: string,
  { program, complain }: { program: string; complain: Complain },
): string {
  const prefix = dirname(dirname(program))
  try {
    const text = readFileSync(path, 'utf8')
    const included = includesIn(text).flatMap(pattern => globSync(resolve(prefix, pattern)).sort())
    const whole = [text, ...included.map(file => readFileSync(file, 'utf8'))].join('\n')
    const found = describeFpmProblem(whole)
    if (found) complain(`${key}.php.config`, path, found.problem, found.fix)
    return whole
  } catch (error) {
    complain(`${key}.php.config`, path, messageOf(error), 'name a readable php-fpm.conf')
    return ''
  }
}
