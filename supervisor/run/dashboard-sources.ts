import type { FeedSources } from '../dashboard/feed.ts'
import type { Sections } from '../dashboard/sections.ts'
import { bucketBounds } from '../front/requests/request-counts.ts'
import type { Settings } from '../site/settings.ts'
import type { RunRecord } from './record.ts'
import type { ReplicaList } from './replica-list.ts'
import type { RequestReader } from './requests.ts'
import { routeRows } from './route-rows.ts'
import type { Run } from './run.ts'

/** Dependencies of what the status page shows. */
export interface DashboardInputs {
  run: Pick<Run, 'settings' | 'status' | 'refresh'>
  record: Pick<RunRecord, 'logs' | 'events' | 'missing'>
  requests: RequestReader['read']
  /** Undefined unless there is a shared state. */
  replicas: ReplicaList | undefined
  version: string
  /** ISO 8601. */
  startedAt: string
}

/** What the status page shows of a run. */
export function dashboardSources({
  run,
  record,
  requests,
  replicas,
  version,
  startedAt,
}: DashboardInputs): FeedSources {
  let shown = run.settings()
  let routes = routeRows(shown.config.routes)

  async function sections(): Promise<Sections> {
    const settings = run.settings()
    if (settings !== shown) {
      shown = settings
      routes = routeRows(settings.config.routes)
    }
    const { pid, state, warnings = [], http, https, lastReload, oldNginxWorkers = 0, ...status } = run.status()
    const {
      connections,
      workers,
      processes,
      scaled,
      dynamicRoutes,
      upstreams,
      certificates,
      container,
      jobs = [],
      maintenance,
      pausedUntil,
      uncounted,
    } = status
    return {
      run: {
        ...{ version, state, pid, startedAt, warnings, http, https, lastReload, oldNginxWorkers },
        configFile: settings.configFile?.path,
        uncounted: settings.config.metrics.requests ? uncounted : 'metrics.requests is false',
        missingLines: record.missing,
        actions: settings.config.admin.actions,
      },
      connections,
      apps: settings.apps.map(({ name }) => ({ name, ...scaled.find(one => one.app === name) })),
      maintenance,
      pausedUntil,
      workers: workers.map(worker => ({ ...worker, memoryLimit: limitOf(settings, worker.name) })),
      processes,
      jobs: jobs.map(job => ({
        ...job,
        last: job.last && { startedAt: job.last.startedAt, result: job.last.result ?? 'running' },
      })),
      routes,
      dynamicRoutes,
      upstreams,
      certificates,
      container,
      replicas: replicas?.(),
    }
  }

  return {
    bounds: bucketBounds,
    async read() {
      const [counts] = await Promise.all([requests(), run.refresh()])
      const { connections, container } = run.status()
      return {
        requests: counts && { series: counts.series, active: sumOf(counts.active) },
        connections: connections?.open,
        cpuSeconds: container?.cpuSeconds,
        memory: container?.memory,
      }
    },
    sections: async () => ({ ...(await sections()) }),
    logs: (after, limit) => record.logs.read({ after }, limit),
    events: (after, limit) => record.events.read({ after }, limit),
  }
}

/** Memory after which a worker is replaced. */
function limitOf({ config }: Settings, worker: string): number | undefined {
  return config.apps[worker.replace(/\.\d+$/, '')]?.max_memory
}

function sumOf(counts: readonly { count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}
