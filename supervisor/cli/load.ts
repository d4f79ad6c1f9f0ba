import { existsSync, lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { isInConfigMap } from '../base/adapters/config-map.ts'
import { readTextFile } from '../base/adapters/text-file.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import type { EffectiveKey } from '../config/effective.ts'
import type { LoadResult } from '../config/load.ts'
import { type ConfigFile, findLoss } from '../config/lost-file.ts'
import type { ConfigSources } from '../config/merge.ts'
import { platformDefaults, platformVariables, recognisePlatform } from '../config/platform.ts'
import { formatProblems, type Problem } from '../config/report.ts'
import { resolveSettings } from '../site/adapters/resolve-settings.ts'
import { findLostSnippets } from '../site/lost-snippets.ts'
import type { Config } from '../site/schema.ts'
import type { Settings, SettingsResult } from '../site/settings.ts'
import { withNamedDirectories } from './named-directories.ts'

const fileName = 'monohull.yaml'

/** Command line with its flags parsed. */
export interface CommandLine {
  /** Path given with --config. */
  configFile: string | undefined
  /** Values of the flags by key, as texts. */
  flags: Record<string, string>
  command: string[]
}

/** Options of `resolveConfiguration`. */
export interface ResolveOptions {
  /** Values by which the command overrides the file, by key. */
  overrides?: Record<string, unknown>
  /** Settings in force, of which no source may be lost. */
  inForce?: Settings | undefined
}

/** Configuration, resolved on this machine. */
export async function resolveConfiguration(
  commandLine: CommandLine,
  world: World,
  { overrides, inForce }: ResolveOptions = {},
): Promise<SettingsResult> {
  enterDirectory(world.directory)
  const read = readConfigFile(commandLine, world)
  const loss = read.ok ? findLoss(inForce?.configFile, read.file) : undefined
  if (loss) return { ok: false, problems: [loss] }
  const loaded = await loadConfiguration(commandLine, world, read, overrides)
  if (!loaded.ok) return loaded
  const { directory } = world
  const config = directory === undefined ? loaded.config : withNamedDirectories(loaded.config, directory)
  const resolved = resolveSettings(config, world, read.ok ? read.file : undefined)
  const lost = resolved.ok ? findLostSnippets(inForce, resolved.settings) : undefined
  return lost ? { ok: false, problems: [lost] } : resolved
}

/** The same result for a reload, with the problems as text. */
export function describeRefusal(
  resolved: SettingsResult,
): { ok: true; settings: Settings } | { ok: false; reason: string } {
  return resolved.ok ? resolved : { ok: false, reason: formatProblems(resolved.problems) }
}

/** Enters the current directory by its name again: a link may lead elsewhere now. Throws an OperatorError if it does not exist. */
function enterDirectory(name: string | undefined): void {
  try {
    if (name === undefined) process.cwd()
    else process.chdir(name)
  } catch (error) {
    throw new OperatorError('cannot start in the current directory: it was removed', {
      fix: 'change to an existing directory',
      cause: error,
    })
  }
}

/** Run directory of the instance that the command line selects, even if the configuration is invalid by now. */
export async function findRunDir(commandLine: CommandLine, world: World): Promise<string> {
  const read = readConfigFile(commandLine, world)
  const loaded = await loadConfiguration(commandLine, world, read)
  if (loaded.ok) return loaded.config.run_dir
  const usual = installationDefaults(world).run_dir
  const set = commandLine.flags.run_dir ?? world.env.MONOHULL_RUN_DIR ?? writtenRunDir(read)
  return set ?? (typeof usual === 'string' ? usual : '/run/monohull')
}

/** Value of `run_dir` in a file that is not even YAML by now: a typo must not make a command reach another instance. */
function writtenRunDir(read: ReadFile): string | undefined {
  const text = (read.ok && read.file?.text) || ''
  return /^run_dir:[ \t]*(["']?)([^\s"'#][^"'#\r\n]*?)\1[ \t]*(?:#.*)?\r?$/m.exec(text)?.[2]
}

/** Format of the log that the command line, the environment or the file sets, even if the configuration is invalid. */
export async function logFormatOf(commandLine: CommandLine, world: World): Promise<unknown> {
  const set = commandLine.flags.log_format ?? world.env.MONOHULL_LOG_FORMAT
  if (set !== undefined) return set
  const read = readConfigFile(commandLine, world)
  const file = read.ok && read.file ? (await import('../site/config.ts')).parseConfigFile(read.file).value : {}
  return file.log_format ?? defaultsOf(commandLine, world, file).defaults.log_format
}

/** Defaults of the installation and of the platform that it runs on, below what the file says. */
function defaultsOf(
  { flags }: CommandLine,
  world: World,
  file: Record<string, unknown>,
): Pick<ConfigSources, 'defaults' | 'defaultVariables'> {
  const set = flags.platform ?? world.env.MONOHULL_PLATFORM ?? file.platform
  const platform = set ?? recognisePlatform(world.env)
  return {
    defaults: { ...installationDefaults(world), ...platformDefaults(platform, world.env) },
    defaultVariables: platformVariables(platform, world.env),
  }
}

/** Path of the configuration file: the one that is set, else the one in the app's directory, if it exists. */
export function configFileOf(commandLine: CommandLine, world: World): string | undefined {
  const usual = usualFile(commandLine, world)
  return commandLine.configFile ?? world.env.MONOHULL_CONFIG ?? (exists(usual) ? usual : undefined)
}

/** Whether a path exists, even as a dangling link: reading it then reports the error. */
function exists(path: string): boolean {
  try {
    return lstatSync(path) !== undefined
  } catch {
    return false
  }
}

function usualFile({ flags }: CommandLine, { env }: World): string {
  return join(flags['app.directory'] ?? env.MONOHULL_DIRECTORY ?? '.', fileName)
}

/** The configuration file, undefined if there is none; or why it cannot be used. */
type ReadFile = { ok: true; file: ConfigFile | undefined } | { ok: false; problems: Problem[] }

function readConfigFile(commandLine: CommandLine, world: World): ReadFile {
  const { configFile } = commandLine
  const named = configFile ?? world.env.MONOHULL_CONFIG
  const path = configFileOf(commandLine, world)
  const misnamed = usualFile(commandLine, world).replace(/yaml$/, 'yml')
  if (path === undefined && existsSync(misnamed)) {
    const fix = `rename it to ${fileName}, or name it with --config`
    return { ok: false, problems: [{ key: '', source: misnamed, value: undefined, problem: 'is ignored', fix }] }
  }
  try {
    return { ok: true, file: path === undefined ? undefined : readWithText(path) }
  } catch (error) {
    const source = configFile ? '--config' : 'MONOHULL_CONFIG'
    return {
      ok: false,
      problems: [
        {
          key: '',
          source: named ? source : (path ?? ''),
          value: path,
          problem: messageOf(error),
          fix: 'name a readable file',
        },
      ],
    }
  }
}

function readWithText(path: string): ConfigFile {
  const absolute = resolve(path)
  return { path, text: readTextFile(absolute), isWhole: isInConfigMap(absolute) }
}

/** Combines all sources. */
async function loadConfiguration(
  commandLine: CommandLine,
  world: World,
  read: ReadFile,
  overrides: Record<string, unknown> = {},
): Promise<LoadResult<Config>> {
  if (!read.ok) return read
  const { file } = read
  const load = ({ loadConfig, parseConfigFile }: Pick<WholeConfig, 'loadConfig' | 'parseConfigFile'>) =>
    loadConfig(sourcesOf(commandLine, world, { file: file && parseConfigFile(file), overrides }))
  const loaded = load(await import('../site/config.ts'))
  return loaded.ok ? loaded : load(await import('../site/whole-config.ts'))
}

type WholeConfig = typeof import('../site/whole-config.ts')

function sourcesOf(
  commandLine: CommandLine,
  world: World,
  { file, overrides }: Pick<ConfigSources, 'file'> & { overrides: Record<string, unknown> },
): ConfigSources {
  const { flags, command } = commandLine
  return {
    overrides,
    env: world.env,
    flags,
    command,
    readFile: readTextFile,
    ...defaultsOf(commandLine, world, file?.value ?? {}),
    file,
  }
}

/** The same for the file that the command line selects, which may have problems. */
export async function describeSelectedConfiguration(
  commandLine: CommandLine,
  world: World,
): Promise<{ ok: true; keys: EffectiveKey[] } | { ok: false; problems: Problem[] }> {
  const read = readConfigFile(commandLine, world)
  const loaded = await loadConfiguration(commandLine, world, read)
  if (!read.ok || !loaded.ok) return read.ok ? (loaded as Extract<typeof loaded, { ok: false }>) : read
  return { ok: true, keys: await describeConfiguration(commandLine, world, read) }
}

/** Every key with its value and source, as a valid configuration file and the other sources of the command line set it. */
export async function describeConfiguration(
  commandLine: CommandLine,
  world: World,
  { file, overrides = {} }: { file: ConfigFile | undefined; overrides?: Record<string, unknown> },
): Promise<EffectiveKey[]> {
  const { effectiveKeys, parseConfigFile } = await import('../site/whole-config.ts')
  return effectiveKeys(sourcesOf(commandLine, world, { file: file && parseConfigFile(file), overrides }))
}

/** Defaults of the installation. The image uses the standard ports and directories; on a host they are those that an unprivileged user can use. */
export function installationDefaults({ env, home }: World): Record<string, unknown> {
  if (env.MONOHULL_IMAGE === '1') return {}
  const uid = process.getuid?.() ?? 0
  const ports = { http_port: 8080, https_port: 8443, cert_dir: join(home, 'certs') }
  if (uid === 0) return ports
  const stateHome = env.XDG_STATE_HOME || findStateHome()
  return {
    ...ports,
    run_dir: env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'monohull') : `/tmp/monohull-${uid}`,
    ...(stateHome === undefined ? {} : { state_dir: join(stateHome, 'monohull') }),
  }
}

/** State directory of the user; undefined without a home directory: then the image's default applies, and is reported as not writable. */
function findStateHome(): string | undefined {
  try {
    return homedir() ? join(homedir(), '.local/state') : undefined
  } catch {
    return undefined // no HOME, and no entry in passwd
  }
}
