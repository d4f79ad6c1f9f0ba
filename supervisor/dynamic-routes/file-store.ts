import { asOperatorError, messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { changedRoutes, findRejection, type RouteFile, readRouteFile, writeRouteFile } from './file-format.ts'
import { matchesPattern } from './pattern.ts'
import type { FoundRoute, OnRoutesChange, RouteFileAccess, RouteStore } from './store.ts'

/** Dependencies of the file store. */
export interface FileRoutesDeps {
  file: RouteFileAccess
  log: Log
  onChange: OnRoutesChange
}

/** Store in a file. */
export interface FileRoutes extends RouteStore {
  /** Reads the file again, because another program may have written it. */
  refresh(): Promise<void>
}

const empty: RouteFile = { entries: new Map(), routes: new Map(), rejected: [] }
/** Entries that one log line names at most. */
const mostNamed = 20

/** Store in a JSON file. If the file becomes invalid or disappears, the routes read last stay in effect. An invalid file is never overwritten. */
export function createFileRoutes({ file, log, onChange }: FileRoutesDeps): FileRoutes {
  let known: RouteFile | undefined
  let hasExisted = false
  let problem: string | undefined
  let warned = ''

  function read(): RouteFile {
    const text = file.read()
    // a file that never existed means no routes; one that disappeared does not
    if (text === undefined && !hasExisted) return empty
    if (text === undefined) throw new Error('the file was removed')
    const found = readRouteFile(text, known)
    hasExisted = true
    return found
  }

  /** Current content of the file; undefined if it cannot be read. */
  function look(): RouteFile | undefined {
    try {
      const found = read()
      if (problem !== undefined) log.info('dynamic routes are readable again', { file: file.path })
      problem = undefined
      warnAboutRejected(found)
      return found
    } catch (error) {
      const reason = messageOf(error)
      if (problem !== reason) {
        const kept = known ? `the last ${known.routes.size} stay in effect` : 'hosts without a cached route get 503'
        log.error('cannot read dynamic routes', { file: file.path, reason, fix: fixOf(file.path), meanwhile: kept })
      }
      problem = reason
      return undefined
    }
  }

  function warnAboutRejected({ rejected }: RouteFile): void {
    const entries = [...rejected.slice(0, mostNamed), ...(rejected.length > mostNamed ? ['…'] : [])].join('; ')
    if (entries !== '' && entries !== warned)
      log.warn('dynamic routes rejected', { file: file.path, count: rejected.length, entries })
    warned = entries
  }

  async function adopt(found: RouteFile): Promise<void> {
    const changes = changedRoutes(known?.routes ?? empty.routes, found.routes)
    known = found
    if (changes.size > 0) await onChange(changes)
  }

  function expectKnown(): RouteFile {
    if (!known) throw new Error(`${file.path}: ${problem}`)
    return known
  }

  async function find(names: readonly string[]): Promise<FoundRoute | undefined> {
    const { routes } = expectKnown()
    for (const name of names) {
      const route = routes.get(name)
      if (route) return { name, route }
    }
    return undefined
  }

  known = look()
  return {
    find,
    async inspect(names) {
      const found = await find(names)
      return found && { ...found, source: file.path }
    },
    async read(names) {
      const { routes } = expectKnown()
      return new Map(
        names.flatMap(name => {
          const route = routes.get(name)
          return route ? [[name, route] as const] : []
        }),
      )
    },
    rejection: async name => findRejection(expectKnown(), name),
    async list(pattern = '*') {
      const { routes } = known ?? empty
      return pattern === '*' ? routes : new Map([...routes].filter(([name]) => matchesPattern(name, pattern)))
    },
    async set(changes) {
      const present = look()
      if (!present) throw new OperatorError(`cannot write ${file.path}: ${problem}`, { fix: fixOf(file.path) })
      const text = writeRouteFile(present.entries, changes)
      try {
        file.write(text)
      } catch (error) {
        throw asOperatorError(error)
      }
      hasExisted = true
      await adopt(readRouteFile(text, present))
    },
    status: () => ({ routes: known?.routes.size ?? 0, rejected: known?.rejected.length ?? 0, problem }),
    async refresh() {
      const found = look()
      if (found) await adopt(found)
    },
  }
}

function fixOf(path: string): string {
  return `correct ${path}, or replace its content with {} to start over`
}
