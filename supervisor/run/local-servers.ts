import { join } from 'node:path'
import { adminSocketName, healthSocketName } from '../site/compose.ts'
import type { AdminOptions } from './adapters/admin-app.ts'
import type { SendCommand } from './command.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

export interface LocalServersDeps extends Pick<AdminOptions, 'renewCertificate' | 'dynamicRoutes'> {
  send: SendCommand
}

/** Health for nginx's visitors, and the admin API, each on a unix socket of its own. */
export async function openLocalServers(run: Run, deps: LocalServersDeps): Promise<Subject> {
  // node:http takes its time, and the app answers without it
  const { serveAdmin, serveHealth } = await import('./adapters/admin-server.ts')
  const { config, nginxUser } = run.settings()
  const health = { livePath: config.health.live_path, readyPath: config.health.ready_path, facts: run.health }
  const servers = await Promise.all([
    serveHealth(join(config.run_dir, healthSocketName), nginxUser?.gid, health),
    serveAdmin(join(config.run_dir, adminSocketName), {
      health,
      status: run.status,
      metrics: run.metrics,
      command: command => deps.send(command, 'the admin API'),
      renewCertificate: deps.renewCertificate,
      dynamicRoutes: deps.dynamicRoutes,
    }),
  ])
  return {
    name: 'local servers',
    async close() {
      for (const server of servers) await server.close()
    },
  }
}
