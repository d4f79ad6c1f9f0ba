import { basename, join, relative } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { messageOf } from '../base/errors.ts'
import { createLog, type LogFormat, lineFormat, type rawFormat } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Command } from '../run/command.ts'
import { changedAt, fingerprintOf } from './adapters/fingerprint.ts'
import { linkedPackages } from './adapters/linked-packages.ts'
import type { Watcher, WatchOptions } from './adapters/watcher.ts'
import { type ChangeRestarts, createChangeRestarts } from './change-restarts.ts'
import { type Program, selfWatching, type WatchSettings, watchPlaces } from './watch-places.ts'
import { isCode, isIgnored, isWatchedDirectory, isWatchedFile } from './watched.ts'

/** Number of files that are read before other work gets its turn. */
const filesAtOnce = 50

type Watch = Omit<WatchOptions, 'onError'>

/** Files that hold the configuration, or the default command. A change triggers a reload. */
const reloadNames = new Set(['monohull.yaml', 'package.json'])

interface WatchSources {
  places: ReadonlyMap<string, readonly Program[]>
  settings: DevelopmentSettings
  restarts: ChangeRestarts
  configFile: string | undefined
}

/** Settings that development depends on. */
export interface DevelopmentSettings extends WatchSettings {
  config: WatchSettings['config'] & {
    run_dir: string
    state_dir: string
    log_format: LogFormat | typeof rawFormat
    dev: { ignore: readonly string[] }
  }
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
  const log = createLog({ format: lineFormat(settings.config.log_format), level: 'info', now: systemClock.now, write })
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
    fingerprint: fingerprintOf,
  })
  const places = watchPlaces(settings, linkedPackages)
  const { watchPath } = await import('./adapters/watcher.ts')
  const onError = (error: unknown) =>
    log.warn('cannot watch all files', {
      error: messageOf(error),
      fix: 'raise fs.inotify.max_user_watches, or set CHOKIDAR_USEPOLLING=1',
    })
  const watchers = await Promise.all([
    ...[...places.keys()].map(place =>
      watchPath({ ...watchOf(place, { places, settings, restarts, configFile }), onError }),
    ),
    ...(configFile ? [watchPath({ ...watchOfFile(configFile, restarts), onError })] : []),
  ])
  const urls = [...http.map(address => `http://${address}`), ...https.map(address => `https://${address}`)]
  log.info(`serving ${browsableUrls(urls)}, ${describeWatched(places, selfWatching(settings))}`)
  if (!isServing()) log.info('waiting for a change')
  const stopReading = recordContents(watchers, restarts)
  return {
    name: 'development',
    async quiesce() {
      restarts.stop()
      stopReading()
      await Promise.all(watchers.map(watcher => watcher.close()))
    },
  }
}

/** Watch of a file or directory: its filters and the commands for each change. */
function watchOf(place: string, { places, settings, restarts, configFile }: WatchSources): Watch {
  const { run_dir, state_dir, dev } = settings.config
  const programs = places.get(place) ?? []
  const foreign = [run_dir, state_dir, ...places.keys()]
    .filter(other => other !== place)
    .map(other => relative(place, other))
  const commands = programs.length > 0 ? programs.map(({ argv }) => argv) : [[]]
  const isReload = (path: string) => reloadNames.has(path)
  const isWatched = (path: string, { argv }: Program) => path === '' || isWatchedFile(path, argv)
  return {
    path: place,
    isDirectory: path =>
      !foreign.includes(path) && !isIgnored(path, dev.ignore) && commands.some(argv => isWatchedDirectory(path, argv)),
    isFile: path =>
      isReload(path) || (!isIgnored(path, dev.ignore) && programs.some(program => isWatched(path, program))),
    onChange(path) {
      const file = path === '' ? place : join(place, path)
      if (configFile === file) return // it has its own watch
      const change = { path: path === '' ? basename(place) : path, file }
      if (isReload(path)) return restarts.changed({ ...change, commands: [{ type: 'reload' }] })
      const affected = programs.filter(program => isWatched(path, program))
      if (affected.length > 0)
        restarts.changed({ ...change, commands: affected.map(({ name }) => ({ type: 'restart', target: name })) })
    },
  }
}

function watchOfFile(file: string, restarts: ChangeRestarts): Watch {
  return {
    path: file,
    isDirectory: () => false,
    isFile: () => true,
    onChange: () => restarts.changed({ path: basename(file), file, commands: [{ type: 'reload' }] }),
  }
}

/** URLs to open in a browser: `localhost` instead of the wildcard and loopback addresses, which some development servers reject. */
function browsableUrls(urls: readonly string[]): string {
  return [...new Set(urls.map(url => url.replace(/0\.0\.0\.0|127\.0\.0\.1|\[::1?\]/, 'localhost')))].join(', ')
}

/** `watching shop/, lib/; web watches its files itself` */
function describeWatched(places: ReadonlyMap<string, readonly Program[]>, selfWatching: readonly string[]): string {
  const watched = new Set([...places].flatMap(([path, programs]) => (programs.length > 0 ? `${basename(path)}/` : [])))
  const others = selfWatching.length > 0 ? `${selfWatching.join(', ')} watches its files itself` : ''
  const watching = watched.size > 0 ? `watching ${[...watched].join(', ')}` : 'watching monohull.yaml and package.json'
  return others === '' ? watching : `${watching}; ${others}`
}

/**
 * Records the contents of the watched files in the background, so that saving the same content again restarts nothing. Code that
 * changed during the start counts as changed: the running program may have loaded it before.
 */
function recordContents(watchers: readonly Watcher[], restarts: ChangeRestarts): () => void {
  const startedAt = systemClock.now() - process.uptime() * 1000
  const waiting = watchers.flatMap(watcher => watcher.files().map(file => ({ file, watcher })))
  let cancel = () => {}
  function readSome(): void {
    for (const { file, watcher } of waiting.splice(0, filesAtOnce)) {
      if (changedAt(file) === undefined) continue
      const fingerprint = fingerprintOf(file)
      // after the content, so that a save in between counts as one
      const at = changedAt(file) ?? startedAt
      if (at < startedAt) restarts.loaded(file, fingerprint)
      else if (isCode(file)) watcher.changed(file)
    }
    if (waiting.length > 0) cancel = systemClock.after(0, readSome)
  }
  readSome()
  return () => cancel()
}
