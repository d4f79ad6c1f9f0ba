import { resolve } from 'node:path'
import type { Config } from '../site/schema.ts'

/** Something with an optional directory of its own. */
type Placed = { directory?: string | undefined }

/**
 * Configuration whose relative directories begin with the name of the current directory. Node knows only where its links lead now: a
 * release that is started in `current` must follow that link on reload.
 */
export function withNamedDirectories(config: Config, current: string): Config {
  const place = <T extends Placed>(keys: T): T =>
    keys.directory === undefined ? keys : { ...keys, directory: resolve(current, keys.directory) }
  const placeAll = <T extends Placed>(all: Record<string, T>) =>
    Object.fromEntries(Object.entries(all).map(([name, keys]) => [name, place(keys)]))
  return {
    ...place(config),
    apps: placeAll(config.apps),
    processes: placeAll(config.processes),
    init: config.init.map(place),
  }
}
