import type { FeedSources } from '../dashboard/feed.ts'
import type { Sections } from '../dashboard/sections.ts'
import type { RunRecord } from './record.ts'
import { routeRows } from './route-rows.ts'
import type { Run } from './run.ts'

/** Dependencies of what the status page shows. */
export interface DashboardInputs {
  run: Pick<Run, 'settings' | 'status' | 'refresh'>
  record: Pick<RunRecord, 'logs' | 'events' | 'missing'>
  version: string
  /** ISO 8601. */
  startedAt: string
}

/** What the status page shows of a run. */
export function dashboardSources({ run, record, version, startedAt }: DashboardInputs): FeedSources {
  let shown = run.settings()
  let routes = routeRows(shown.config.routes)

  async function sections(): Promise<Sections> {
    const settings = run.settings()
    if (settings !== shown) {
      shown = settings
      routes = routeRows(settings.config.routes)
    }
    const { pid, state, warnings = [], http, https, lastReload, oldNginxWorkers = 0, ...status } = run.status()
    const { connections, workers, processes, scaled, dynamicRoutes, upstreams, certificates } = status
    return {
      run: {
        ...{ version, state, pid, startedAt, warnings, http, https, lastReload, oldNginxWorkers },
        configFile: settings.configFile?.path,
        countsRequests: false,
        missingLines: record.missing,
        actions: settings.config.admin.actions,
      },
      connections,
      apps: settings.apps.map(({ name }) => ({ name, ...scaled.find(one => one.app === name) })),
      workers,
      processes,
      routes,
      dynamicRoutes,
      upstreams,
      certificates,
      container: {},
    }
  }

  return {
    bounds: [],
    async read() {
      await run.refresh()
      return {
        requests: undefined,
        connections: run.status().connections?.open,
        cpuSeconds: undefined,
        memory: undefined,
      }
    },
    sections: async () => ({ ...(await sections()) }),
    logs: (after, limit) => record.logs.read({ after }, limit),
    events: (after, limit) => record.events.read({ after }, limit),
  }
}
