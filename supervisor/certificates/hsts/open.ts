import { join } from 'node:path'
import type { Runtime } from '../../base/runtime.ts'
import type { TlsConfig } from '../keys.ts'
import { openHstsRecord } from './adapters/record.ts'
import type { SharedProgress } from './shared.ts'
import type { HstsRule } from './stages.ts'
import { type HstsWatch, watchHsts } from './watch.ts'

/** Keys that HSTS depends on. */
export interface HstsKeys {
  tls: Pick<TlsConfig, 'hsts' | 'on_demand'>
  trusted_proxies: readonly string[]
  state_dir: string
}

/** Opens the watch for a rule of `tls.hsts`. It has not checked any certificate yet. */
export function openHsts(
  rule: HstsRule,
  config: HstsKeys,
  { clock, log, shared }: Pick<Runtime, 'clock' | 'log'> & { shared: SharedProgress | undefined },
): HstsWatch {
  const record = openHstsRecord(join(config.state_dir, 'hsts.json'), log)
  const hasProxies = config.trusted_proxies.length > 0
  const isOnDemand = config.tls.on_demand !== undefined
  return watchHsts({ rule, record, clock, hasProxies, isOnDemand, shared })
}
