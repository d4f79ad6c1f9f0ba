import type { JobOperations } from './operations.ts'
import type { JobSettings } from './plan.ts'
import type { JobService } from './service.ts'
import { mostRuns, unknownJob } from './service-operations.ts'

/** Jobs of this instance, and those that it shares with others, as one service. */
export function joinServices(own: JobService, shared: JobService): JobService {
  const both = [own, shared]
  const list = () => both.flatMap(service => service.status())
  const has = (service: JobService, name: string) => service.status().some(job => job.name === name)

  function operationsFor(name: string): JobOperations | undefined {
    return both.find(service => has(service, name))?.operations
  }

  const unknown = (name: string) =>
    unknownJob(
      name,
      list().map(job => job.name),
    )
  const rejected = (name: string) =>
    ({ ok: false, message: 'command rejected', reason: unknown(name), isUnknown: true }) as const
  const each = async (work: (service: JobService) => Promise<void>) => void (await Promise.all(both.map(work)))
  return {
    start: () => each(service => service.start()),
    adopt: settings => each(service => service.adopt(service === shared ? sharedOf(settings) : ownOf(settings))),
    operations: {
      list,
      async history(name) {
        if (name === undefined) {
          const runs = await Promise.all(both.map(({ operations }) => operations.history(undefined)))
          const newestFirst = runs.flat().sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1))
          return newestFirst.slice(0, mostRuns)
        }
        const operations = operationsFor(name)
        if (!operations) throw new Error(unknown(name))
        return operations.history(name)
      },
      run: async (name, options) => operationsFor(name)?.run(name, options) ?? rejected(name),
      pause: async name => operationsFor(name)?.pause(name) ?? rejected(name),
      resume: async name => operationsFor(name)?.resume(name) ?? rejected(name),
    },
    status: list,
    warnings: () => both.flatMap(service => service.warnings()),
    metrics: () => joinMetrics(own.metrics(), shared.metrics()),
    quiesce() {
      for (const service of both) service.quiesce()
    },
    stop: how => each(service => service.stop(how)),
  }
}

/** Settings without the jobs that instances share. */
export function ownOf(settings: JobSettings): JobSettings {
  return { ...settings, jobs: settings.jobs.filter(({ isShared }) => !isShared) }
}

/** Settings with only the jobs that instances share. */
export function sharedOf(settings: JobSettings): JobSettings {
  return { ...settings, jobs: settings.jobs.filter(({ isShared }) => isShared) }
}

/** The same metrics, each with the samples of both. */
function joinMetrics(
  one: ReturnType<JobService['metrics']>,
  other: ReturnType<JobService['metrics']>,
): ReturnType<JobService['metrics']> {
  return one.map(metric => ({
    ...metric,
    samples: [...metric.samples, ...(other.find(({ name }) => name === metric.name)?.samples ?? [])],
  }))
}
