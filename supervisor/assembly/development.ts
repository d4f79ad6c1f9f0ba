import { basename, join, relative } from 'node:path'
import type { WatchOptions } from '../adapters/watcher.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { isWatchedFile, isWatchedFolder } from '../domain/watched.ts'
import { type ChangeRestarts, createChangeRestarts } from '../services/change-restarts.ts'
import type { AppSettings } from './app-settings.ts'
import { describeSockets, type Parts } from './parts.ts'
import type { Settings } from './settings.ts'

type Watch = Omit<WatchOptions, 'onError'>

/** What the configuration, and the command when there is none in it, come from. */
const reloadNames = new Set(['monohull.yaml', 'package.json'])

interface WatchSources {
  settings: Settings
  restarts: ChangeRestarts
  configFile: string | undefined
}

/** Watches the folders of the apps for the rest of the run, and says so. `configFile` is watched wherever it is. */
export async function develop(parts: Parts, configFile: string | undefined): Promise<void> {
  const { settings, stderr } = parts
  // what a developer waits for is told whatever log_level hides
  const log = createLog({
    format: settings.config.log_format,
    level: 'info',
    now: systemClock.now,
    write: line => stderr.write(line),
  })
  const pools = () => [...parts.pools.values()]
  const isServing = () => pools().every(pool => pool.rotation().length > 0)
  const restarts = createChangeRestarts({
    clock: systemClock,
    log,
    command: command => parts.command(command, 'a change'),
    giveUpBooting() {
      for (const pool of pools()) pool.giveUpBooting()
    },
    isServing,
  })
  const { watchPath } = await import('../adapters/watcher.ts')
  const onError = (error: unknown) =>
    log.warn('cannot watch everything', {
      error: messageOf(error),
      fix: 'raise fs.inotify.max_user_watches, or set CHOKIDAR_USEPOLLING=1',
    })
  const watchers = await Promise.all([
    ...settings.apps.map(app => watchPath({ ...watchOf(app, { settings, restarts, configFile }), onError })),
    ...(configFile ? [watchPath({ ...watchOfFile(configFile, restarts), onError })] : []),
  ])
  parts.watcher = {
    async close() {
      restarts.stop()
      await Promise.all(watchers.map(watcher => watcher.close()))
    },
  }
  const { http, https } = parts.front
  const urls = [
    ...describeSockets(http).map(address => `http://${address}`),
    ...describeSockets(https).map(address => `https://${address}`),
  ]
  const folders = new Set(settings.apps.map(({ place }) => `${basename(place.directory)}/`))
  log.info(`serving ${readable(urls)}, watching ${[...folders].join(', ')}`)
  if (!isServing()) log.info('waiting for a change')
}

/** What of an app's folder is watched, and what a change of it calls for. */
function watchOf({ name, place, plan }: AppSettings, { settings, restarts, configFile }: WatchSources): Watch {
  const { config, apps } = settings
  const { directory } = place
  const argv = plan?.argv ?? []
  const others = apps.map(app => app.place.directory).filter(other => other !== directory)
  const foreign = [config.run_dir, config.state_dir, ...others].map(folder => relative(directory, folder))
  return {
    path: directory,
    isFolder: path => !foreign.includes(path) && isWatchedFolder(path, argv),
    isFile: path => isWatchedFile(path, argv) && (plan !== undefined || reloadNames.has(path)),
    onChange(path) {
      if (configFile === join(directory, path)) return // watched by itself
      restarts.changed({
        path,
        command: reloadNames.has(path) ? { type: 'reload' } : { type: 'restart', target: name },
      })
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
