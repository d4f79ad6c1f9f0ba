import { join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import type { TlsConfig } from '../keys.ts'
import type { OnDemand } from './handshake.ts'

/** Keys that on-demand certificates depend on. */
export interface OnDemandKeys {
  tls: Pick<TlsConfig, 'on_demand'>
  state_dir: string
  run_dir: string
}

/** Directory of the certificates that were obtained on demand. */
export function onDemandDir({ state_dir }: Pick<OnDemandKeys, 'state_dir'>): string {
  return join(state_dir, 'acme/on-demand')
}

/** Paths through which nginx gets certificates for unknown names. */
export function onDemandPaths({ run_dir }: Pick<OnDemandKeys, 'run_dir'>): OnDemand {
  return { directory: join(run_dir, 'on-demand'), socket: join(run_dir, 'on-demand.sock') }
}

/** Paths for nginx; undefined unless tls.on_demand is set. Throws an OperatorError if nginx has no Lua. */
export function onDemandOf(
  config: OnDemandKeys,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): OnDemand | undefined {
  if (!config.tls.on_demand) return undefined
  if (luaModules) return onDemandPaths(config)
  throw new OperatorError('cannot use tls.on_demand: this nginx has no Lua module', {
    fix: 'apt-get install libnginx-mod-http-lua, or remove tls.on_demand',
  })
}
