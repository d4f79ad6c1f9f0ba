import { basename, join, relative } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { messageOf } from '../base/errors.ts'
import { createLog, type LogFormat } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'
import type { WatchOptions } from './adapters/watcher.ts'
import { type ChangeRestarts, createChangeRestarts } from './change-restarts.ts'
import { isWatchedFile, isWatchedFolder } from './watched.ts'

type Watch = Omit<WatchOptions, 'onError'>

/** What the configuration, and the command when there is none in it, come from. */
const reloadNames = new Set(['monohull.yaml', 'package.json'])

/** What runs out of a folder. */
interface Program {
  name: string
  argv: readonly string[]
}

interface WatchSources {
  folders: ReadonlyMap<string, readonly Program[]>
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
  giveUpBooting(): void
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
    giveUpBooting() {
      for (const pool of pools()) pool.giveUpBooting()
    },
    isServing,
  })
  const folders = programsByFolder(settings)
  const { watchPath } = await import('./adapters/watcher.ts')
  const onError = (error: unknown) =>
    log.warn('cannot watch everything', {
      error: messageOf(error),
      fix: 'raise fs.inotify.max_user_watches, or set CHOKIDAR_USEPOLLING=1',
    })
  const watchers = await Promise.all([
    ...[...folders.keys()].map(folder =>
      watchPath({ ...watchOf(folder, { folders, settings, restarts, configFile }), onError }),
    ),
    ...(configFile ? [watchPath({ ...watchOfFile(configFile, restarts), onError })] : []),
  ])
  const urls = [...http.map(address => `http://${address}`), ...https.map(address => `https://${address}`)]
  const watched = new Set([...folders.keys()].map(folder => `${basename(folder)}/`))
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
function programsByFolder({ apps, processes }: DevelopmentSettings): ReadonlyMap<string, readonly Program[]> {
  const all = [
    ...apps.map(({ place, name, plan }) => ({
      folder: place.directory,
      programs: plan ? [{ name, argv: plan.argv }] : [],
    })),
    ...processes.map(({ directory, name, argv }) => ({ folder: directory, programs: [{ name, argv }] })),
  ]
  const folders = new Map<string, Program[]>()
  for (const { folder, programs } of all) folders.set(folder, [...(folders.get(folder) ?? []), ...programs])
  return folders
}

/** What of a folder is watched, and what a change of it calls for. */
function watchOf(folder: string, { folders, settings, restarts, configFile }: WatchSources): Watch {
  const { run_dir, state_dir } = settings.config
  const programs = folders.get(folder) ?? []
  const foreign = [run_dir, state_dir, ...folders.keys()]
    .filter(other => other !== folder)
    .map(other => relative(folder, other))
  const commands = programs.length > 0 ? programs.map(({ argv }) => argv) : [[]]
  return {
    path: folder,
    isFolder: path => !foreign.includes(path) && commands.some(argv => isWatchedFolder(path, argv)),
    isFile: path => reloadNames.has(path) || programs.some(({ argv }) => isWatchedFile(path, argv)),
    onChange(path) {
      if (configFile === join(folder, path)) return // watched by itself
      if (reloadNames.has(path)) return restarts.changed({ path, command: { type: 'reload' } })
      for (const { name, argv } of programs)
        if (isWatchedFile(path, argv)) restarts.changed({ path, command: { type: 'restart', target: name } })
    },
  }
}

function watchOfFile(file: string, restarts: ChangeRestarts): Watch {
  return {
    path: file,
    isFolder: () => false,
    isFile: () => true,
    onChange: () => restarts.changed({ path: basename(file), command: { type: 'reload' } }),
  }
}

/** Addresses as a person opens them. */
function readable(urls: readonly string[]): string {
  return [...new Set(urls.map(url => url.replace(/0\.0\.0\.0|\[::\]/, 'localhost')))].join(', ')
}
