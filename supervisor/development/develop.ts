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

/** Files that hold the configuration, or the default command. A change triggers a reload. */
const reloadNames = new Set(['monohull.yaml', 'package.json'])

/** A program that runs in a watched directory. */
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
  apps: readonly { name: string; context: { directory: string }; plan: { argv: readonly string[] } | undefined }[]
  processes: readonly { name: string; directory: string; argv: readonly string[] }[]
}

/** The part of a worker pool that development uses. */
interface DevelopedApp {
  rotation(): readonly unknown[]
  /** Kills workers that are not ready yet, as if they had failed. */
  killBooting(): void
}

/** Dependencies of the file watches. */
export interface DevelopmentDeps {
  settings: DevelopmentSettings
  pools: ReadonlyMap<string, DevelopedApp>
  /** Listen addresses with ports. */
  http: readonly string[]
  https: readonly string[]
  send(command: Command, from: string): Promise<Outcome>
  /** Writes a line to stderr. */
  write(line: string): void
}

/** The file watches of a run. */
export interface Development {
  readonly name: string
  quiesce(): Promise<void>
}

/**
 * Watches the directories of the apps and processes until the run ends, and logs that. `configFile` is watched even if it is
 * outside these directories.
 */
export async function develop(
  { settings, pools: apps, http, https, send, write }: DevelopmentDeps,
  configFile: string | undefined,
): Promise<Development> {
  // a developer waits for these messages, so log_level does not hide them
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
    log.warn('cannot watch all files', {
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
  log.info(`serving ${browsableUrls(urls)}, watching ${[...watched].join(', ')}`)
  if (!isServing()) log.info('waiting for a change')
  return {
    name: 'development',
    async quiesce() {
      restarts.stop()
      await Promise.all(watchers.map(watcher => watcher.close()))
    },
  }
}

/** The programs of each directory; none if nginx serves the directory as static files. */
function programsByDirectory({ apps, processes }: DevelopmentSettings): ReadonlyMap<string, readonly Program[]> {
  const all = [
    ...apps.map(({ context, name, plan }) => ({
      directory: context.directory,
      programs: plan ? [{ name, argv: plan.argv }] : [],
    })),
    ...processes.map(({ directory, name, argv }) => ({ directory, programs: [{ name, argv }] })),
  ]
  const directories = new Map<string, Program[]>()
  for (const { directory, programs } of all)
    directories.set(directory, [...(directories.get(directory) ?? []), ...programs])
  return directories
}

/** Watch of a directory: its filters and the command for each change. */
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
      if (configFile === join(directory, path)) return // it has its own watch
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

/** URLs to open in a browser: `localhost` instead of the wildcard address. */
function browsableUrls(urls: readonly string[]): string {
  return [...new Set(urls.map(url => url.replace(/0\.0\.0\.0|\[::\]/, 'localhost')))].join(', ')
}
