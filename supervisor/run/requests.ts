import { join } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import type { CountedRoute } from '../front/requests/counted-route.ts'
import type { RequestCounts } from '../front/requests/request-counts.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import { filtersWithLua } from '../nginx/own-files.ts'
import { modelNginx, noneRunning, statusSocketName } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { Apps } from '../workers/apps.ts'
import type { Run } from './run.ts'

/** Requests as nginx counts them. */
export interface RequestReader {
  /** The counts since nginx's start; undefined if nginx does not count, or does not respond. */
  read(): Promise<RequestCounts | undefined>
  /** Why nginx does not count requests; undefined if it does, or if that was configured. */
  problem(): string | undefined
}

/** Dependencies of `createRequestReader`. */
export interface RequestReaderDeps {
  run: Pick<Run, 'settings'>
  features: NginxFeatures
  pools: Apps['pools']
}

/** Reader of nginx's counts. Nothing is loaded before the first read. */
export function createRequestReader({ run, features, pools }: RequestReaderDeps): RequestReader {
  let counted: { settings: Settings; routes: ReadonlyMap<string, CountedRoute> } | undefined

  async function routesOf(settings: Settings): Promise<ReadonlyMap<string, CountedRoute>> {
    if (counted?.settings !== settings) {
      const { countedRoutesOf } = await import('../site/counted-routes.ts')
      counted = { settings, routes: countedRoutesOf(modelNginx(settings, features, noneRunning)) }
    }
    return counted.routes
  }

  let reading: Promise<RequestCounts | undefined> | undefined

  return {
    problem() {
      const { config, ownFiles, ownNginxConf } = run.settings()
      if (!config.metrics.requests) return undefined
      if (!features.luaModules)
        return 'nginx has no Lua module (apt-get install libnginx-mod-http-lua, then restart monohull)'
      if (!features.hasStatus) return 'nginx was built without stub_status'
      if (filtersWithLua([...ownFiles.values(), ownNginxConf?.text ?? '']))
        return 'your nginx files contain header_filter_by_lua, body_filter_by_lua or log_by_lua, which replace those of monohull'
      return undefined
    },
    // the status and the status page ask at the same moment
    read() {
      reading ??= readNow().finally(() => {
        reading = undefined
      })
      return reading
    },
  }

  async function readNow(): Promise<RequestCounts | undefined> {
    const [{ readRequests }, { getText }] = await Promise.all([
      import('../front/requests/request-reader.ts'),
      import('../base/adapters/unix-http.ts'),
    ])
    const socket = join(run.settings().config.run_dir, statusSocketName)
    return readRequests({
      sockets: () => socketsOf(pools),
      routes: () => routesOf(run.settings()),
      now: systemClock.now,
      get: path => getText(socket, path),
    })
  }
}

/** Serving workers by the inode of their socket. */
function socketsOf(pools: Apps['pools']): Map<number, string> {
  return new Map(
    [...pools.values()]
      .flatMap(pool => pool.status())
      .flatMap(({ name }): [number, string][] => {
        const inode = pools.get(name.replace(/\.\d+$/, ''))?.worker(name)?.endpoint.socket?.inode
        return inode === undefined ? [] : [[inode, name]]
      }),
  )
}
