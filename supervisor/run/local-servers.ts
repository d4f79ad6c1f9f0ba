import { join } from 'node:path'
import { readVersion } from '../base/adapters/version.ts'
import type { Runtime } from '../base/runtime.ts'
import type { Feed } from '../dashboard/feed.ts'
import { healthSocketName, retrySocketName } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { RetryServerDeps } from '../workers/deaths/adapters/retry-server.ts'
import type { AdminOptions } from './adapters/admin-app.ts'
import { type GuardedApp, loadGuardedAdmin } from './adapters/guarded-admin.ts'
import { collectGarbage } from './adapters/heap.ts'
import { adminSocketName } from './adapters/instance-search.ts'
import { openAdminPort } from './admin-port.ts'
import type { CommandQueue } from './command-queue.ts'
import { openInternalPages } from './internal-pages.ts'
import { openMetricsPort } from './metrics-port.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Dependencies of the local servers. */
export interface LocalServersDeps
  extends Pick<
    AdminOptions,
    | 'record'
    | 'describeConfig'
    | 'renewCertificate'
    | 'requests'
    | 'inspection'
    | 'dynamicRoutes'
    | 'maintenance'
    | 'cluster'
    | 'pause'
    | 'jobs'
  > {
  clock: Runtime['clock']
  log: Runtime['log']
  /** Directory of the installation. */
  home: string
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
  const { feed, closeFeed } = createSharedFeed(run, deps)
  const admin: AdminOptions = {
    health,
    refresh: run.refresh,
    status: run.status,
    metrics: run.metrics,
    requests: deps.requests,
    record: deps.record,
    describeConfig: deps.describeConfig,
    page: { home: deps.home, feed },
    command: (command, client) => deps.send(command, 'the admin API', client),
    renewCertificate: deps.renewCertificate,
    inspection: deps.inspection,
    dynamicRoutes: deps.dynamicRoutes,
    maintenance: deps.maintenance,
    cluster: deps.cluster,
    pause: deps.pause,
    jobs: deps.jobs,
  }
  run.add(await openMetricsPort(run, deps.log))
  let statusPage: Promise<GuardedApp> | undefined
  run.add(
    await openInternalPages(run, {
      metrics: run.metrics,
      statusPage: () => (statusPage ??= loadGuardedAdmin(run, { options: admin, log: deps.log }, 'route')),
    }),
  )
  if (offersPage(run.settings())) await feed()
  run.add(await openAdminPort(run, { log: deps.log, options: admin }))
  const servers = await Promise.all([
    serveRetries({ path: join(config.run_dir, retrySocketName), gid: nginxUser?.gid }, deps.retries),
    serveHealth(join(config.run_dir, healthSocketName), nginxUser?.gid, health),
    serveAdmin(join(config.run_dir, adminSocketName), admin),
  ])
  return {
    name: 'local servers',
    async close() {
      await closeFeed()
      for (const server of servers) await server.close()
    },
  }
}

/** Whether people reach the status page otherwise than by the admin socket. */
function offersPage({ config: { admin, routes } }: Settings): boolean {
  return admin.port !== undefined || routes.some(({ target }) => target.kind === 'internal' && target.page === 'status')
}

/** Feed of the status page, which is loaded and begins with the first page, or where a port or a route leads to it. */
function createSharedFeed(run: Run, { clock, log, home, record, requests, cluster }: LocalServersDeps) {
  const startedAt = new Date(clock.now()).toISOString()
  let opened: Promise<Feed> | undefined
  const open = async () => {
    const { createFeed } = await import('../dashboard/feed.ts')
    const { dashboardSources } = await import('./dashboard-sources.ts')
    const replicas = cluster && (await import('./replica-list.ts')).createReplicaList({ clock, ask: cluster })
    return createFeed({
      clock,
      log,
      sources: dashboardSources({ run, record, requests, replicas, version: readVersion(home), startedAt }),
      run: `${process.pid}-${Date.parse(startedAt)}`,
      keepsMinutes: () => offersPage(run.settings()),
      onUnwatched: collectGarbage,
    })
  }
  return {
    feed: () => (opened ??= open()),
    closeFeed: async () => (await opened)?.close(),
  }
}
