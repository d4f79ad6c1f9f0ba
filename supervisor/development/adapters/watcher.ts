import { relative } from 'node:path'
import { watch } from 'chokidar'

export interface WatchOptions {
  /** A folder, or one file. */
  path: string
  /** Whether a path, relative to the folder, is of interest. */
  isDirectory(path: string): boolean
  isFile(path: string): boolean
  onChange(path: string): void
  onError(error: unknown): void
}

export interface Watcher {
  close(): Promise<void>
}

/** Calls back for each file below a folder that is added, changed or removed. Settles when everything is watched. */
export async function watchPath(options: WatchOptions): Promise<Watcher> {
  const top = options.path
  const below = (path: string) => relative(top, path)
  const watcher = watch(top, {
    ignoreInitial: true,
    ignored(path, stats) {
      if (path === top || !stats) return false
      return stats.isDirectory() ? !options.isDirectory(below(path)) : !options.isFile(below(path))
    },
  })
  watcher.on('error', options.onError)
  await new Promise<void>(resolve => {
    watcher.once('ready', resolve)
  })
  for (const event of ['add', 'change', 'unlink'] as const) watcher.on(event, path => options.onChange(below(path)))
  return watcher
}
