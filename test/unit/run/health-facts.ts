import type { HealthFacts } from '../../../supervisor/run/health.ts'
import { type AppCount, describeUnready, sumWorkers } from '../../../supervisor/workers/ready-count.ts'

/** What a run is, as far as its health depends on it. */
export interface Health {
  isNginxAlive: boolean
  isDraining: boolean
  apps: readonly AppCount[]
}

/** Facts as a run puts them together from nginx and its apps. */
export function factsOf({ isNginxAlive, isDraining, apps }: Health): HealthFacts {
  const failing = isNginxAlive ? undefined : 'nginx is not running'
  return { isDraining, failing, unready: failing ?? describeUnready(apps), workers: sumWorkers(apps) }
}
