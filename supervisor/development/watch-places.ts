import { resolve } from 'node:path'

/** A program that runs in a watched directory. */
export interface Program {
  name: string
  argv: readonly string[]
}

interface Watched {
  /** Whether the program watches its files itself. */
  watchesItself: boolean
}

/** Settings that the watched places depend on. */
export interface WatchSettings {
  config: { directory: string; dev: { watch?: 'off' | readonly string[] | undefined } }
  apps: readonly {
    name: string
    context: { directory: string }
    plan: (Watched & { argv: readonly string[] }) | undefined
  }[]
  processes: readonly (Watched & { name: string; directory: string; argv: readonly string[] })[]
}

/**
 * Watched files and directories with the programs that a change there restarts: none if nginx serves the directory as static
 * files, or the program watches its files itself. `linkedOf` finds the linked packages of a directory.
 */
export function watchPlaces(settings: WatchSettings, linkedOf: (directory: string) => readonly string[]) {
  const { watch } = settings.config.dev
  const programs = programsOf(settings)
  const places = new Map<string, readonly Program[]>()
  const add = (path: string, more: readonly Program[]) => places.set(path, [...(places.get(path) ?? []), ...more])
  if (watch === 'off') return places
  if (watch) {
    for (const entry of watch) {
      const path = resolve(settings.config.directory, entry)
      const own = programs.filter(({ directory }) => isInside(path, directory))
      add(path, own.length > 0 ? own : programs)
    }
    return places
  }
  for (const { directory, watchesItself, ...program } of programs) {
    const own = watchesItself || program.argv.length === 0 ? [] : [program]
    add(directory, own)
    for (const linked of own.length > 0 ? linkedOf(directory) : []) add(linked, own)
  }
  return places
}

/** Names of the programs that watch their files themselves, and are not restarted for a change of theirs. */
export function selfWatching(settings: WatchSettings): string[] {
  if (settings.config.dev.watch !== undefined) return []
  return programsOf(settings).flatMap(({ name, watchesItself }) => (watchesItself ? [name] : []))
}

/** Programs with their directories. One without words is a directory of static files. */
function programsOf({ apps, processes }: WatchSettings): (Program & Watched & { directory: string })[] {
  return [
    ...apps.map(({ context, name, plan }) => ({
      name,
      directory: context.directory,
      argv: plan?.argv ?? [],
      watchesItself: plan?.watchesItself ?? false,
    })),
    ...processes.map(({ directory, name, argv, watchesItself }) => ({ name, directory, argv, watchesItself })),
  ]
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
