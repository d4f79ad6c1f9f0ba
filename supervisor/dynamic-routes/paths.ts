import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { DynamicHosts, UnknownRoute } from './hosts.ts'

interface DynamicRoutesKeys {
  run_dir: string
  state_dir: string
  server_names: readonly string[]
  dynamic_routes?: { unknown: UnknownRoute; stale_for?: number | undefined } | undefined
}

const usualStaleMs = 600_000

/** Path of the file that stores dynamic routes. */
export function dynamicRoutesFile({ state_dir }: Pick<DynamicRoutesKeys, 'state_dir'>): string {
  return join(state_dir, 'routes.json')
}

/** Sockets between nginx and the supervisor, and the hosts that dynamic routes do not apply to. */
export function dynamicRouteSockets({
  run_dir,
  server_names,
  dynamic_routes,
}: Omit<DynamicRoutesKeys, 'state_dir'>): DynamicHosts {
  return {
    lookupSocket: join(run_dir, 'routes.sock'),
    changesSocket: join(run_dir, 'routes-changed.sock'),
    unknown: dynamic_routes?.unknown ?? '403',
    staleForSeconds: Math.ceil((dynamic_routes?.stale_for ?? usualStaleMs) / 1000),
    namedHosts: [...new Set(server_names.map(name => name.toLowerCase()))],
  }
}

/** The same; undefined unless dynamic_routes is set. Throws an OperatorError if nginx has no Lua module. */
export function dynamicRoutesOf(
  config: Omit<DynamicRoutesKeys, 'state_dir'>,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): DynamicHosts | undefined {
  if (!config.dynamic_routes) return undefined
  if (luaModules) return dynamicRouteSockets(config)
  throw new OperatorError('cannot use dynamic_routes: this nginx has no Lua module', {
    fix: 'apt-get install libnginx-mod-http-lua, or remove dynamic_routes',
  })
}
