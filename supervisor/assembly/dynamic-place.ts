import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { Config } from '../config/schema.ts'
import type { DynamicRoutes } from '../domain/nginx-dynamic-hosts.ts'
import type { NginxFeatures } from '../domain/nginx-model.ts'
import type { BoundSocket } from '../domain/ports.ts'
import type { DynamicRoutes as Service } from '../services/dynamic-routes.ts'

/** Those of a run. */
export interface OpenDynamicRoutes extends Service {
  /** At which nginx is told of changes; it inherits it, so a master that is killed leaves none behind. */
  tellSocket: BoundSocket
  close(): Promise<void>
}

/** Where dynamic routes are kept. */
export function dynamicRoutesFile({ state_dir }: Pick<Config, 'state_dir'>): string {
  return join(state_dir, 'routes.json')
}

/** How nginx learns of hosts; undefined unless dynamic_routes is set. */
export function dynamicRoutesPlace({ run_dir, server_names, dynamic_routes }: Config): DynamicRoutes | undefined {
  return (
    dynamic_routes && {
      askSocket: join(run_dir, 'routes.sock'),
      tellSocket: join(run_dir, 'routes-changed.sock'),
      namedHosts: [...new Set(server_names.map(name => name.toLowerCase()))],
    }
  )
}

/** The same; an OperatorError when it is asked for and nginx has no Lua. */
export function dynamicRoutesOf(
  config: Config,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): DynamicRoutes | undefined {
  const place = dynamicRoutesPlace(config)
  if (!place || luaModules) return place
  throw new OperatorError('cannot do dynamic_routes: this nginx has no Lua to look hosts up with', {
    fix: 'apt-get install libnginx-mod-http-lua, or leave dynamic_routes out',
  })
}
