import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { Route } from '../keys.ts'

/** Configuration keys that contain fallbacks. */
interface FallbackKeys {
  routes: readonly Pick<Route, 'target'>[]
  directory: string
}

interface MissingFallback {
  /** Configuration key, such as `routes.0.files.fallback`. */
  key: string
  path: string
}

/** Fallback files that do not exist; clients get 404 instead. They may be created later. */
export function missingFallbacks({ routes, directory }: FallbackKeys): MissingFallback[] {
  return routes.flatMap(({ target }, index) => {
    if (target.kind !== 'files' || target.fallback === undefined) return []
    const path = join(resolve(directory, target.root), target.fallback)
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
    return isFile ? [] : [{ key: `routes.${index}.files.fallback`, path }]
  })
}

/** Logs a warning for each missing fallback, at startup and on reload. */
export function warnAboutMissingFallbacks(config: FallbackKeys, log: Log): void {
  for (const { key, path } of missingFallbacks(config))
    log.warn('fallback file does not exist: requests for missing files get 404', {
      key,
      file: path,
      fix: `create it, or set ${key} to another file`,
    })
}
