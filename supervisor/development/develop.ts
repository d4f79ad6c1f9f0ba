import { basename, join, relative } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { messageOf } from '../base/errors.ts'
import { createLog, type LogFormat } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'
import type { WatchOptions } from './adapters/watcher.ts'
import { type ChangeRestarts, createChangeRestarts } from './change-restarts.ts'
import { isWatchedDirectory, isWatchedFile } from './watched.ts'

type Watch = Omit<WatchOptions, 'onError'>

/** What the configuration, and the command when there is none in it, come from. */
const reloadNames = new Set(['monohull.yaml', 'package.json'])

/** What runs out of a folder. */
interface Program {
  name: string
  argv: readonly string[]
}

interface WatchSources {
  directories: ReadonlyMap<string, readonly Program[]>
  settings: DevelopmentSettings
  restarts: ChangeRestarts
  configFile: string | undefined
}

/** Settings that development depends on. */
export interface DevelopmentSettings {
  config: { run_dir: string; state_dir: string; log_format: LogFormat }
  apps: readonly { name: string; place: { directory: string }; plan: { argv: readonly string[] } | undefined }[]
  processes: readonly { name: string; directory: string; argv: readonly string[] }[]
}

/** The workers of an app, as far as development depends on them. */
interface DevelopedApp {
  rotation(): readonly unknown[]
  /** Kills what is not ready yet, as if it had failed. */
  killBooting(): void
}

export interface DevelopmentDeps {
  settings: DevelopmentSettings
  pools: ReadonlyMap<string, DevelopedApp>
  /** Addresses with ports. */
  http: readonly string[]
  https: readonly string[]
  send(command: Command, from: string): Promise<Outcome>
  /** Writes a line to stderr. */
  write(line: string): void
}

/** What watches for the rest of a run. */
export interface Development {
  readonly name: string
  quiesce(): Promise<void>
}

/** Watches the folders of the apps and processes for the rest of the run, and says so. `configFile` is watched wherever it is. */
export async function develop(
  { settings, pools: apps, http, https, send, write }: DevelopmentDeps,
  configFile: string | undefined,
): Promise<Development> {
  // what a developer waits for is told whatever log_level hides
  const log = createLog({ format: settings.config.log_format, level: 'info', now: systemClock.now, write })
  const pools = () => [...apps.values()]
  const isServing = () => pools().every(pool => pool.rotation().length > 0)
  const restarts = createChangeRestarts({
    clock: systemClock,
    log,
    command: command => send(command, 'a change'),
    killBooting() {
      for (const pool of pools()) pool.killBooting()
    },
    isServing,
  })
  const directories = programsByDirectory(settings)
  const { watchPath } = await import('./adapters/watcher.ts')
  const onError = (error: unknown) =>
    log.warn('cannot watch everything', {
      error: messageOf(error),
      fix: 'raise fs.inotify.max_user_watches, or set CHOKIDAR_USEPOLLING=1',
    })
  const watchers = await Promise.all([
    ...[...directories.keys()].map(directory =>
      watchPath({ ...watchOf(directory, { directories, settings, restarts, configFile }), onError }),
    ),
    ...(configFile ? [watchPath({ ...watchOfFile(configFile, restarts), onError })] : []),
  ])
  const urls = [...http.map(address => `http://${address}`), ...https.map(address => `https://${address}`)]
  const watched = new Set([...directories.keys()].map(directory => `${basename(directory)}/`))
  log.info(`serving ${readable(urls)}, watching ${[...watched].join(', ')}`)
  if (!isServing()) log.info('waiting for a change')
  return {
    name: 'development',
    async quiesce() {
      restarts.stop()
      await Promise.all(watchers.map(watcher => watcher.close()))
    },
  }
}

/** The programs of each folder; none where nginx alone serves what is in it. */
function programsByDirectory({ apps, processes }: DevelopmentSettings): ReadonlyMap<string, readonly Program[]> {
  const all = [
    ...apps.map(({ place, name, plan }) => ({
      directory: place.directory,
      programs: plan ? [{ name, argv: plan.argv }] : [],
    })),
    ...processes.map(({ directory, name, argv }) => ({ directory, programs: [{ name, argv }] })),
  ]
  const directories = new Map<string, Program[]>()
  for (const { directory, programs } of all)
    directories.set(directory, [...(directories.get(directory) ?? []), ...programs])
  return directories
}

/** What of a folder is watched, and what a change of it calls for. */
function watchOf(directory: string, { directories, settings, restarts, configFile }: WatchSources): Watch {
  const { run_dir, state_dir } = settings.config
  const programs = directories.get(directory) ?? []
  const foreign = [run_dir, state_dir, ...directories.keys()]
    .filter(other => other !== directory)
    .map(other => relative(directory, other))
  const commands = programs.length > 0 ? programs.map(({ argv }) => argv) : [[]]
  return {
    path: directory,
    isDirectory: path => !foreign.includes(path) && commands.some(argv => isWatchedDirectory(path, argv)),
    isFile: path => reloadNames.has(path) || programs.some(({ argv }) => isWatchedFile(path, argv)),
    onChange(path) {
      if (configFile === join(directory, path)) return // watched by itself
      if (reloadNames.has(path)) return restarts.changed({ path, command: { type: 'reload' } })
      for (const { name, argv } of programs)
        if (isWatchedFile(path, argv)) restarts.changed({ path, command: { type: 'restart', target: name } })
    },
  }
}

function watchOfFile(file: string, restarts: ChangeRestarts): Watch {
  return {
    path: file,
    isDirectory: () => false,
    isFile: () => true,
    onChange: () => restarts.changed({ path: basename(file), command: { type: 'reload' } }),
  }
}

/** Addresses as a person opens them. */
function readable(urls: readonly string[]): string {
  return [...new Set(urls.map(url => url.replace(/0\.0\.0\.0|\[::\]/, 'localhost')))].join(', ')
}
