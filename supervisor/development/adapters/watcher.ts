import { join, relative } from 'node:path'
import { watch } from 'chokidar'

/** Path to watch, filters and callbacks. */
export interface WatchOptions {
  /** A directory or a single file. */
  path: string
  /** Whether to watch a directory. Its path is relative to `path`. */
  isDirectory(path: string): boolean
  /** Whether to watch a file. Its path is relative to `path`. */
  isFile(path: string): boolean
  onChange(path: string): void
  onError(error: unknown): void
}

/** A running file watch. */
export interface Watcher {
  /** Absolute paths of the files that it watches. */
  files(): string[]
  /** Reports a change that happened before the watch. */
  changed(file: string): void
  close(): Promise<void>
}

/** Calls `onChange` for each watched file that is added, changed or removed. Resolves when all watches are set up. */
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
  return {
    files: () =>
      Object.entries(watcher.getWatched()).flatMap(([directory, names]) => names.map(name => join(directory, name))),
    changed: file => options.onChange(below(file)),
    close: () => watcher.close(),
  }
}
