import type { Subject } from './subject.ts'
import type { UsageDeps, UsageSample } from './usage.ts'

/** Age at which a sample is no longer shown. */
const validMs = 5000

/** Subject that adds to the status what workers, processes and the container use, and samples it only when a status is asked for. */
export function openUsage(deps: UsageDeps): Subject {
  const { clock, apps, processes } = deps
  let loaded: typeof import('./usage.ts') | undefined
  let sample: (() => Promise<UsageSample>) | undefined
  let last: UsageSample | undefined

  return {
    name: 'usage',
    async refresh() {
      loaded ??= await import('./usage.ts')
      sample ??= loaded.createUsageSampler(deps).sample
      last = await sample()
    },
    status: () => ({
      uncounted: deps.requests.problem(),
      ...(loaded && last && clock.monotonic() - last.at < validMs
        ? loaded.withUsage({ ...apps.status(), ...processes.status() }, last, apps)
        : {}),
    }),
    metrics: async () => (last ? (await import('./usage-metrics.ts')).usageMetrics(deps, last) : []),
  }
}
