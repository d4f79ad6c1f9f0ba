import { join } from 'node:path'
import { openHstsRecord } from '../adapters/hsts-record.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type HstsWatch, watchHsts } from '../services/hsts.ts'
import type { Certificates } from './certificates.ts'
import type { Settings } from './settings.ts'

/** What `tls.hsts` asks for, with the certificates of now; undefined when it is off. */
export function openHsts(
  { config }: Settings,
  certificates: Certificates | undefined,
  log: Log,
): HstsWatch | undefined {
  const rule = config.tls.hsts
  if (!rule) return undefined
  const record = openHstsRecord(join(config.state_dir, 'hsts.json'), log)
  const hasProxies = config.trusted_proxies.length > 0
  const isOnDemand = config.tls.on_demand !== undefined
  const watch = watchHsts({ rule, record, clock: systemClock, hasProxies, isOnDemand })
  watch.look(certificates?.kept ?? [])
  if (!watch.header()) log.info('HSTS is not sent yet: it takes a certificate that browsers trust')
  return watch
}
