import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import type { DynamicHosts } from './hosts.ts'

interface DynamicRoutesKeys {
  run_dir: string
  state_dir: string
  server_names: readonly string[]
  dynamic_routes?: unknown
}

/** Where dynamic routes are kept. */
export function dynamicRoutesFile({ state_dir }: Pick<DynamicRoutesKeys, 'state_dir'>): string {
  return join(state_dir, 'routes.json')
}

/** How nginx learns of hosts. */
export function dynamicRouteSockets({
  run_dir,
  server_names,
}: Pick<DynamicRoutesKeys, 'run_dir' | 'server_names'>): DynamicHosts {
  return {
    lookupSocket: join(run_dir, 'routes.sock'),
    changesSocket: join(run_dir, 'routes-changed.sock'),
    namedHosts: [...new Set(server_names.map(name => name.toLowerCase()))],
  }
}

/** The same; undefined unless dynamic_routes is set. An OperatorError when nginx has no Lua for it. */
export function dynamicRoutesOf(
  config: Omit<DynamicRoutesKeys, 'state_dir'>,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): DynamicHosts | undefined {
  if (!config.dynamic_routes) return undefined
  if (luaModules) return dynamicRouteSockets(config)
  throw new OperatorError('cannot do dynamic_routes: this nginx has no Lua to look hosts up with', {
    fix: 'apt-get install libnginx-mod-http-lua, or leave dynamic_routes out',
  })
}
