import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { Route } from '../keys.ts'

/** Keys that fallbacks are among. */
interface FallbackKeys {
  routes: readonly Pick<Route, 'target'>[]
  directory: string
}

interface MissingFallback {
  /** Key of the configuration. */
  key: string
  path: string
}

/** Files that are to answer where none is found, and are not there either: clients get 404. What puts files there may be yet to come. */
export function missingFallbacks({ routes, directory }: FallbackKeys): MissingFallback[] {
  return routes.flatMap(({ target }, index) => {
    if (target.kind !== 'files' || target.fallback === undefined) return []
    const path = join(resolve(directory, target.root), target.fallback)
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
    return isFile ? [] : [{ key: `routes.${index}.files.fallback`, path }]
  })
}

/** Says it at a start and a reload. */
export function warnAboutMissingFallbacks(config: FallbackKeys, log: Log): void {
  for (const { key, path } of missingFallbacks(config))
    log.warn('a fallback is no file: where none is found, the answer is 404', {
      key,
      file: path,
      fix: `put it there, or name another one in ${key}`,
    })
}
