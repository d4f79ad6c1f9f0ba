import { join } from 'node:path'
import { openHstsRecord } from '../adapters/hsts-record.ts'
import type { HstsRule } from '../domain/hsts.ts'
import type { Surroundings } from '../domain/ports.ts'
import { type HstsWatch, watchHsts } from '../services/hsts.ts'
import type { Settings } from './settings.ts'

/** The watch that a rule of `tls.hsts` asks for. It has not looked at any certificate yet. */
export function openHsts(
  rule: HstsRule,
  { config }: Settings,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
): HstsWatch {
  const record = openHstsRecord(join(config.state_dir, 'hsts.json'), log)
  const hasProxies = config.trusted_proxies.length > 0
  const isOnDemand = config.tls.on_demand !== undefined
  return watchHsts({ rule, record, clock, hasProxies, isOnDemand })
}
