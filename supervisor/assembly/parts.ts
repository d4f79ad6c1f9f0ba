import { join } from 'node:path'
import type { AccessLog } from '../adapters/access-log.ts'
import { certificateStore } from '../adapters/cert-store.ts'
import type { Instance } from '../adapters/instance.ts'
import type { Output } from '../adapters/output.ts'
import type { LocalServer } from '../admin/server.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { CertificateFiles } from '../domain/certificate.ts'
import type { HealthFacts } from '../domain/health.ts'
import type { NginxFeatures, NginxModel } from '../domain/nginx-model.ts'
import { chooseServed } from '../services/certificates.ts'
import type { Nginx } from '../services/nginx.ts'
import type { WorkerPool } from '../services/worker-pool.ts'
import type { Front } from './front.ts'
import { modelNginx } from './nginx-model.ts'
import type { Settings, SettingsResult, World } from './settings.ts'

export type StopReason = { mode: 'graceful' | 'quick'; code: number }

/** What a run consists of. `start` fills it in, so that `stop` can end whatever there is, at any moment. */
export interface Parts {
  readonly world: World
  readonly log: Log
  readonly stdout: Output
  readonly stderr: Output
  /** Reads the configuration and looks at the machine again. */
  readonly resolveAgain: () => SettingsResult
  readonly requestStop: (reason: StopReason) => void
  settings: Settings
  isDraining: boolean
  front: Front
  servers: LocalServer[]
  instance?: Instance
  features?: NginxFeatures
  accessLog?: AccessLog
  certificate?: CertificateFiles | undefined
  /** None when the content is static files. */
  pool?: WorkerPool
  nginx?: Nginx
}

/** What nginx is to be with these settings and the workers of now, or all there will be. */
export function modelOf(parts: Parts, settings: Settings, workers: 'ready' | 'all'): NginxModel {
  const { world, features, accessLog, front, certificate, pool } = parts
  if (!features || !accessLog) throw new Error('cannot model nginx before the start')
  const servers = workers === 'ready' ? pool?.rotation() : pool?.addresses()
  return modelNginx({
    settings,
    world,
    features,
    front,
    certificate,
    accessLogPath: accessLog.path,
    servers: servers ?? [],
  })
}

/** Chooses the certificate to serve, as a copy that nginx can go on reading. */
export async function loadCertificate(
  { config, certificates }: Settings,
  log: Log,
): Promise<CertificateFiles | undefined> {
  if (config.https === 'off') return undefined
  const served = await chooseServed(certificateStore, certificates, { clock: systemClock, log })
  // a folder of its own: a pair is never half replaced under a running nginx
  return certificateStore.keepCopy(served.files, join(config.run_dir, 'certificates', served.certificate.serial))
}

export function healthOf({ pool, nginx, isDraining }: Parts): HealthFacts {
  const workers = pool?.status() ?? []
  return {
    isNginxAlive: nginx?.isAlive() ?? false,
    isDraining,
    readyWorkers: pool && workers.filter(({ state }) => state === 'serving' || state === 'replacing').length,
    totalWorkers: workers.length,
  }
}
