import { formatMetrics } from '../../../supervisor/base/metrics.ts'
import { certificateMetrics } from '../../../supervisor/certificates/metrics.ts'
import { routeStoreMetrics } from '../../../supervisor/dynamic-routes/store.ts'
import { processMetrics, workerMetrics } from '../../../supervisor/processes/program-metrics.ts'
import { runMetrics, type Status } from '../../../supervisor/run/status.ts'

/** The text for Prometheus, as a run puts it together from its subjects. */
export function metricsOf(status: Status): string {
  const { workers, processes, dynamicRoutes, certificates } = status
  return formatMetrics([
    ...runMetrics(status),
    ...workerMetrics(workers),
    ...processMetrics(processes),
    ...(dynamicRoutes ? routeStoreMetrics(dynamicRoutes) : []),
    ...(certificates ? certificateMetrics(certificates) : []),
  ])
}
