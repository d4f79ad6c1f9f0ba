import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import type { ConfigSources, LoadResult } from '../config/load.ts'
import { formatProblems } from '../config/report.ts'
import { resolveSettings } from '../site/adapters/resolve-settings.ts'
import { type PlainSchema, readPlainConfig } from '../site/plain-config.ts'
import type { Config } from '../site/schema.ts'
import type { Settings, SettingsResult } from '../site/settings.ts'

const fileName = 'monohull.yaml'

/** Put in by the build; there is none where the sources run as they are. */
declare const PLAIN_SCHEMA: PlainSchema | undefined
const plainSchema = typeof PLAIN_SCHEMA === 'undefined' ? undefined : PLAIN_SCHEMA

export interface CommandLine {
  /** Path given with --config. */
  configFile: string | undefined
  /** Texts of the flags by key. */
  flags: Record<string, string>
  command: string[]
}

/** The configuration, and what this machine makes of it. `overrides` go over the file, by key. */
export async function resolveConfiguration(
  commandLine: CommandLine,
  world: World,
  overrides: Record<string, unknown> = {},
): Promise<SettingsResult> {
  expectCurrentDirectory()
  const loaded = await loadConfiguration(commandLine, world, overrides)
  return loaded.ok ? resolveSettings(loaded.config, world) : loaded
}

/** The same for a reload, with what is wrong as text. */
export function describeRefusal(
  resolved: SettingsResult,
): { ok: true; settings: Settings } | { ok: false; reason: string } {
  return resolved.ok ? resolved : { ok: false, reason: formatProblems(resolved.problems) }
}

/** Relative paths start there. */
function expectCurrentDirectory(): void {
  try {
    process.cwd()
  } catch (error) {
    throw new OperatorError('cannot start in the current folder: it was removed', {
      fix: 'cd to a folder that is there',
      cause: error,
    })
  }
}

/** The run folder of the instance meant, even when the rest of the configuration is broken by now. */
export async function findRunDir(commandLine: CommandLine, world: World): Promise<string> {
  const loaded = await loadConfiguration(commandLine, world)
  if (loaded.ok) return loaded.config.run_dir
  const usual = installationDefaults(world).run_dir
  return (
    commandLine.flags.run_dir ?? world.env.MONOHULL_RUN_DIR ?? (typeof usual === 'string' ? usual : '/run/monohull')
  )
}

/** The configuration file: the one that is named, else the one in the app's folder, if it is there. */
export function configFileOf(commandLine: CommandLine, world: World): string | undefined {
  const usual = usualFile(commandLine, world)
  return commandLine.configFile ?? world.env.MONOHULL_CONFIG ?? (isThere(usual) ? usual : undefined)
}

/** A link that leads nowhere is there too: to read it then tells what is wrong. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path) !== undefined
  } catch {
    return false
  }
}

function usualFile({ flags }: CommandLine, { env }: World): string {
  return join(flags['app.directory'] ?? env.MONOHULL_DIRECTORY ?? '.', fileName)
}

/** Finds and reads the configuration file, and puts everything together. */
async function loadConfiguration(
  commandLine: CommandLine,
  world: World,
  overrides: Record<string, unknown> = {},
): Promise<LoadResult<Config>> {
  const { configFile, flags, command } = commandLine
  const named = configFile ?? world.env.MONOHULL_CONFIG
  const path = configFileOf(commandLine, world)
  const misnamed = usualFile(commandLine, world).replace(/yaml$/, 'yml')
  if (path === undefined && existsSync(misnamed)) {
    const fix = `rename it to ${fileName}, or name it with --config`
    return { ok: false, problems: [{ key: '', source: misnamed, value: undefined, problem: 'is not read', fix }] }
  }
  let text: string | undefined
  try {
    if (path !== undefined) text = readFileSync(resolve(path), 'utf8')
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
  // most start without a file, and need not load what reads one
  const { parseConfigFile } = text === undefined ? { parseConfigFile: undefined } : await import('../site/config.ts')
  const file = path !== undefined && text !== undefined ? parseConfigFile?.({ path, text }) : undefined
  const sources: ConfigSources = {
    defaults: installationDefaults(world),
    file,
    overrides,
    env: world.env,
    flags,
    command,
    readFile: name => readFileSync(name, 'utf8'),
  }
  const config = readPlainConfig(plainSchema, sources)
  return config ? { ok: true, config } : (await import('../site/config.ts')).loadConfig(sources)
}

/** The image owns the standard ports and folders; on a host monohull takes what an unprivileged user can. */
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

/** Undefined for a user without a home: the folder of the image is told to be closed then. */
function findStateHome(): string | undefined {
  try {
    return homedir() ? join(homedir(), '.local/state') : undefined
  } catch {
    return undefined // no HOME, and no such user in passwd
  }
}
