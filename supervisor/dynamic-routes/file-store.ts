import { asOperatorError, messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { changedRoutes, type RouteFile, readRouteFile, writeRouteFile } from './file-format.ts'
import type { OnRoutesChange, RouteFileAccess, RouteStore } from './store.ts'

export interface FileRoutesDeps {
  file: RouteFileAccess
  log: Log
  hear: OnRoutesChange
}

/** A store that is a file. */
export interface FileRoutes extends RouteStore {
  /** Reads what somebody else wrote. */
  refresh(): Promise<void>
}

const empty: RouteFile = { entries: {}, routes: new Map(), refused: [] }
/** Entries that one log line names. */
const mostNamed = 20

/** Dynamic routes in a JSON file. What was read once goes on when the file is damaged or gone, and such a file is never written over. */
export function createFileRoutes({ file, log, hear }: FileRoutesDeps): FileRoutes {
  let known: RouteFile | undefined
  let isThere = false
  let problem: string | undefined
  let told = ''

  function read(): RouteFile {
    const text = file.read()
    // none yet is an empty one; one that vanished is not
    if (text === undefined && !isThere) return empty
    if (text === undefined) throw new Error('it is gone')
    const found = readRouteFile(text)
    isThere = true
    return found
  }

  /** What the file holds now; undefined when it cannot be read. */
  function look(): RouteFile | undefined {
    try {
      const found = read()
      if (problem !== undefined) log.info('dynamic routes are read again', { file: file.path })
      problem = undefined
      tellRefused(found)
      return found
    } catch (error) {
      const reason = messageOf(error)
      if (problem !== reason) {
        const kept = known ? `the ${known.routes.size} known before serve on` : 'hosts without a cached route get 503'
        log.error('cannot read dynamic routes', { file: file.path, reason, fix: fixOf(file.path), meanwhile: kept })
      }
      problem = reason
      return undefined
    }
  }

  function tellRefused({ refused }: RouteFile): void {
    const entries = [...refused.slice(0, mostNamed), ...(refused.length > mostNamed ? ['…'] : [])].join('; ')
    if (entries !== '' && entries !== told)
      log.warn('dynamic routes left out', { file: file.path, count: refused.length, entries })
    told = entries
  }

  async function take(found: RouteFile): Promise<void> {
    const changes = changedRoutes(known?.routes ?? empty.routes, found.routes)
    known = found
    if (changes.size > 0) await hear(changes)
  }

  known = look()
  return {
    async find(host) {
      if (!known) throw new Error(`${file.path}: ${problem}`)
      return known.routes.get(host)
    },
    list: async () => known?.routes ?? empty.routes,
    async set(host, target) {
      const present = look()
      if (!present) throw new OperatorError(`cannot write ${file.path}: ${problem}`, { fix: fixOf(file.path) })
      const text = writeRouteFile(present.entries, host, target)
      try {
        file.write(text)
      } catch (error) {
        throw asOperatorError(error)
      }
      isThere = true
      await take(readRouteFile(text))
    },
    status: () => ({ routes: known?.routes.size ?? 0, problem }),
    async refresh() {
      const found = look()
      if (found) await take(found)
    },
  }
}

function fixOf(path: string): string {
  return `mend ${path}, or put {} there to begin anew`
}
