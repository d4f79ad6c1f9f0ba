import { join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import type { NginxFeatures } from '../../nginx/features.ts'
import type { TlsConfig } from '../keys.ts'
import type { OnDemand } from './handshake.ts'

/** Keys that certificates on demand depend on. */
export interface OnDemandKeys {
  tls: Pick<TlsConfig, 'on_demand'>
  state_dir: string
  run_dir: string
}

/** Where certificates that were obtained on demand are kept. */
export function onDemandFolder({ state_dir }: Pick<OnDemandKeys, 'state_dir'>): string {
  return join(state_dir, 'acme/on-demand')
}

/** Where nginx finds certificates for names it was not told of. */
export function onDemandPlace({ run_dir }: Pick<OnDemandKeys, 'run_dir'>): OnDemand {
  return { folder: join(run_dir, 'on-demand'), socket: join(run_dir, 'on-demand.sock') }
}

/** What nginx is to do at handshakes; undefined unless tls.on_demand is set. An OperatorError when nginx has no Lua for it. */
export function onDemandOf(
  config: OnDemandKeys,
  { luaModules }: Pick<NginxFeatures, 'luaModules'>,
): OnDemand | undefined {
  if (!config.tls.on_demand) return undefined
  if (luaModules) return onDemandPlace(config)
  throw new OperatorError('cannot do tls.on_demand: this nginx has no Lua to choose certificates with', {
    fix: 'apt-get install libnginx-mod-http-lua, or leave tls.on_demand out',
  })
}
