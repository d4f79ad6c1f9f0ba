import { gauge, type Metric } from '../base/metrics.ts'
import { type CertificatesStatus, formatCertificates } from '../certificates/status.ts'
import type { RouteStoreStatus } from '../dynamic-routes/store.ts'
import type { ClientCertificateStatus } from '../front/client-authority-watch.ts'
import type { MaintenanceStatus } from '../front/maintenance/maintenance.ts'
import type { ConnectionStatus } from '../nginx/connection-watch.ts'
import { formatLastDeaths } from '../processes/last-death.ts'
import type { ContainerUsage } from '../processes/usage.ts'
import { formatJobs, type JobStatus } from '../programs/jobs/status.ts'
import type { ProcessStatus } from '../programs/status.ts'
import type { SharedStateStatus } from '../shared-state/open.ts'
import { formatUpstreams, type UpstreamServerStatus } from '../upstreams/status.ts'
import type { ScaledApp } from '../workers/apps.ts'
import type { WorkerStatus } from '../workers/status.ts'
import { formatContainer, formatMembers } from './member-table.ts'

/** Access to the status page and the admin API by TCP. */
export interface AdminStatus {
  /** `127.0.0.1:9114` */
  address: string
  requiresToken: boolean
  /** Whether it may change something. */
  actions: boolean
}

/** Status of the run, as `monohull status` shows it. */
export interface Status {
  pid: number
  state: 'ready' | 'not ready' | 'stopping'
  uptimeSeconds: number
  /** What needs attention: certificates, names, nginx, the last reload. */
  warnings?: readonly string[]
  /** Undefined before the first reload; `at` is ISO 8601, `text` the result or the reason why it was abandoned. */
  lastReload?: { at: string; ok: boolean; text: string }
  /** Addresses with ports, such as `0.0.0.0:80`. */
  http: string[]
  https: string[]
  /** Undefined unless `admin.port` is set. */
  admin?: AdminStatus
  workers: WorkerStatus[]
  /** nginx workers that were replaced by a reload and still finish requests. */
  oldNginxWorkers?: number
  processes: ProcessStatus[]
  /** Undefined without jobs. */
  jobs?: JobStatus[]
  /** Apps that scale by load, with their number of workers and its bounds. */
  scaled: ScaledApp[]
  upstreams: UpstreamServerStatus[]
  /** Undefined unless dynamic_routes is set. */
  dynamicRoutes?: RouteStoreStatus | undefined
  /** Undefined unless shared_state is set. */
  sharedState?: SharedStateStatus | undefined
  /** Why requests are not counted; undefined if they are, or if that was configured. */
  uncounted?: string | undefined
  /** Undefined unless the status was asked for a moment ago. */
  container?: ContainerUsage | undefined
  /** Undefined until nginx has reported them. */
  connections?: ConnectionStatus | undefined
  /** Undefined without HTTPS. */
  certificates?: CertificatesStatus | undefined
  /** Undefined unless it is on. */
  maintenance?: MaintenanceStatus | undefined
  /** When a pause ends by itself, as an ISO date; undefined while nothing is paused. */
  pausedUntil?: string | undefined
  /** Undefined unless client certificates are checked. */
  clientCertificates?: ClientCertificateStatus | undefined
}

/** Status as text tables. */
export function formatStatus(status: Status): string {
  const {
    pid,
    state,
    uptimeSeconds,
    http,
    https,
    workers,
    processes,
    scaled,
    upstreams,
    certificates,
    oldNginxWorkers = 0,
    warnings = [],
  } = status
  const bounds = scaled
    .map(
      one =>
        `${one.app} scales by load from ${one.min} to ${one.max} workers, now ${one.isAsleep ? 'asleep' : one.workers}\n`,
    )
    .join('')
  const old = oldNginxWorkers > 0 ? `${oldNginxWorkers} old nginx workers finish requests after a reload\n` : ''
  const head = `monohull ${state}, pid ${pid}, up ${uptimeSeconds} s\nhttp  ${http.join(' ') || '-'}\nhttps ${https.join(' ') || '-'}\n${formatConnections(status.connections)}${formatContainer(status.container)}${bounds}${old}`
  const tail =
    formatJobs(status.jobs ?? []) +
    warnings.map(warning => `warning: ${warning}\n`).join('') +
    (status.uncounted === undefined ? '' : `requests are not counted: ${status.uncounted}\n`) +
    formatUpstreams(upstreams) +
    formatDynamicRoutes(status.dynamicRoutes) +
    formatSharedState(status.sharedState) +
    (certificates ? formatCertificates(certificates) : '') +
    (status.clientCertificates?.problems ?? []).map(problem => `client certificates: ${problem}\n`).join('')
  if (workers.length + processes.length === 0)
    return `${head}${upstreams.length === 0 && !status.dynamicRoutes ? 'static files, ' : ''}no workers\n${tail}`
  const table = formatMembers([...workers, ...processes])
  return head + table + formatLastDeaths([...workers, ...processes]) + tail
}

function formatConnections(found: ConnectionStatus | undefined): string {
  if (!found) return ''
  const dropped = found.dropped > 0 ? `, ${found.dropped} dropped` : ''
  return `connections ${found.open} open, limit ${found.limit}${dropped}\n`
}

function formatDynamicRoutes(found: RouteStoreStatus | undefined): string {
  if (!found) return ''
  const problem = found.problem === undefined ? '' : `; the store cannot be read: ${found.problem}`
  return `dynamic routes: ${found.routes}${found.isPartial ? ' in use' : ''}${problem}\n`
}

function formatSharedState(found: SharedStateStatus | undefined): string {
  return found ? `shared state: ${found.store}, ${found.problem === undefined ? 'connected' : 'unavailable'}\n` : ''
}

/** Metrics of the run. */
export function runMetrics({ state, uptimeSeconds }: Pick<Status, 'state' | 'uptimeSeconds'>): Metric[] {
  return [
    gauge('ready', 'Whether monohull is ready to serve', state === 'ready' ? 1 : 0),
    gauge('uptime_seconds', 'Seconds since startup', uptimeSeconds),
  ]
}
