import type { Change } from '../../base/change.ts'
import type { Metric } from '../../base/metrics.ts'
import type { Stopping } from '../../base/stopping.ts'
import type { JobsDeps, JobsSettings } from './dependencies.ts'
import type { JobOperations } from './operations.ts'
import type { JobService } from './service.ts'
import type { JobStatus } from './status.ts'

/** The jobs of a run. */
export interface Jobs {
  readonly name: string
  readonly isIndependent: boolean
  /** Begins the schedules. */
  begin(): Promise<void>
  /** Undefined while there are no jobs. */
  operations(): JobOperations | undefined
  prepare(next: JobsSettings): Promise<Change | undefined>
  status(): { jobs?: JobStatus[] }
  warnings(): string[]
  metrics(): Metric[]
  quiesce(): void
  stop(how: Stopping): Promise<void>
}

/** The jobs of a run, whose schedules have not begun. Their module is loaded only if there are any. */
export async function openJobs(deps: JobsDeps): Promise<Jobs> {
  let isStopping = false

  async function load(settings: JobsSettings): Promise<JobService> {
    const { openJobService } = await import('./adapters/open.ts')
    return openJobService(deps, settings)
  }

  const initial = deps.settings()
  let service = initial.jobs.length > 0 ? await load(initial) : undefined
  return {
    name: 'jobs',
    isIndependent: true,
    begin: async () => service?.start(),
    operations: () => service?.operations,
    async prepare(next) {
      const prepared = service ?? (next.jobs.length > 0 ? await load({ ...next, jobs: [] }) : undefined)
      if (!prepared) return undefined
      return {
        commit() {
          service = prepared
          return isStopping ? undefined : service.adopt(next)
        },
      }
    },
    status: () => (service ? { jobs: service.status() } : {}),
    warnings: () => service?.warnings() ?? [],
    metrics: () => service?.metrics() ?? [],
    quiesce() {
      isStopping = true
      service?.quiesce()
    },
    stop: async how => service?.stop(how),
  }
}
