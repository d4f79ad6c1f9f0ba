import { join } from 'node:path'
import { healthSocketName, retrySocketName } from '../site/compose.ts'
import type { RetryServerDeps } from '../workers/deaths/adapters/retry-server.ts'
import type { AdminOptions } from './adapters/admin-app.ts'
import { adminSocketName } from './adapters/instance-search.ts'
import type { CommandQueue } from './command-queue.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Dependencies of the local servers. */
export interface LocalServersDeps
  extends Pick<AdminOptions, 'record' | 'renewCertificate' | 'inspection' | 'dynamicRoutes' | 'maintenance'> {
  retries: RetryServerDeps
  send: CommandQueue['push']
}

/** Servers for health checks through nginx, for the admin API, and for nginx's questions about failed requests, each on its own unix socket. */
export async function openLocalServers(run: Run, deps: LocalServersDeps): Promise<Subject> {
  // loading node:http takes time, and requests to the app do not need it
  const { serveAdmin, serveHealth } = await import('./adapters/admin-server.ts')
  const { serveRetries } = await import('../workers/deaths/adapters/retry-server.ts')
  const { config, nginxUser } = run.settings()
  const health = { livePath: config.health.live_path, readyPath: config.health.ready_path, facts: run.health }
  const servers = await Promise.all([
    serveRetries({ path: join(config.run_dir, retrySocketName), gid: nginxUser?.gid }, deps.retries),
    serveHealth(join(config.run_dir, healthSocketName), nginxUser?.gid, health),
    serveAdmin(join(config.run_dir, adminSocketName), {
      health,
      refresh: run.refresh,
      status: run.status,
      metrics: run.metrics,
      record: deps.record,
      command: (command, client) => deps.send(command, 'the admin API', client),
      renewCertificate: deps.renewCertificate,
      inspection: deps.inspection,
      dynamicRoutes: deps.dynamicRoutes,
      maintenance: deps.maintenance,
    }),
  ])
  return {
    name: 'local servers',
    async close() {
      for (const server of servers) await server.close()
    },
  }
}
