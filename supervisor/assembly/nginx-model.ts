import { join } from 'node:path'
import type { FrontSocket } from '../adapters/listeners.ts'
import type { CertificateFiles } from '../domain/certificate.ts'
import type { NginxFeatures, NginxModel } from '../domain/nginx-model.ts'
import type { WorkerAddress } from '../domain/ports.ts'
import type { Settings, World } from './settings.ts'

export interface NginxModelSources {
  settings: Settings
  world: World
  features: NginxFeatures
  front: {
    http: readonly Pick<FrontSocket, 'address' | 'port'>[]
    https: readonly Pick<FrontSocket, 'address' | 'port'>[]
  }
  certificate: CertificateFiles | undefined
  accessLogPath: string
  servers: WorkerAddress[]
}

export const healthSocketName = 'health.sock'

/** What nginx is to be, from the settings and what is bound and running now. */
export function modelNginx({
  settings,
  world,
  features,
  front,
  certificate,
  accessLogPath,
  servers,
}: NginxModelSources): NginxModel {
  const { config, content } = settings
  return {
    features,
    user: settings.nginxUserName,
    workerProcesses: settings.nginxProcesses,
    workDir: join(config.run_dir, 'nginx'),
    accessLog: config.access_log ? { path: accessLogPath, format: config.log_format } : undefined,
    http: front.http.map(({ address, port }) => ({ address, port })),
    https: front.https.map(({ address, port }) => ({ address, port })),
    httpMode: config.https === 'redirect' ? 'redirect' : 'serve',
    publicHttpsPort: config.public_https_port ?? front.https[0]?.port ?? config.https_port,
    certificate,
    health: {
      socket: join(config.run_dir, healthSocketName),
      livePath: config.health.live_path,
      readyPath: config.health.ready_path,
    },
    pagesDir: join(world.home, 'nginx/pages'),
    content:
      content.kind === 'files'
        ? { kind: 'files', root: content.root }
        : { kind: 'app', name: 'app', servers, keepalive: config.app.keepalive },
    snippets: settings.snippets,
    shutdownTimeoutSeconds: Math.max(1, Math.ceil(config.app.graceful_timeout / 1000)),
  }
}
