/** What health depends on. */
export interface HealthFacts {
  isNginxAlive: boolean
  isDraining: boolean
  /** The apps that a route leads to, static files aside. */
  apps: readonly { name: string; ready: number; total: number }[]
}

export interface HealthAnswer {
  status: 200 | 503
  body: Record<string, unknown>
}

/** Liveness: an orchestrator restarts the container when it fails. Workers are monohull's own business. */
export function liveness(facts: HealthFacts): HealthAnswer {
  return facts.isNginxAlive
    ? { status: 200, body: { status: 'ok' } }
    : { status: 503, body: { status: 'failing', reason: 'nginx is not running' } }
}

/** Readiness: a load balancer sends no requests while it fails. Each app that a route leads to needs a ready worker. */
export function readiness({ apps, isDraining, isNginxAlive }: HealthFacts): HealthAnswer {
  const sum = (of: 'ready' | 'total') => apps.reduce((total, app) => total + app[of], 0)
  const workers = apps.length === 0 ? {} : { workers: { ready: sum('ready'), total: sum('total') } }
  if (isDraining) return { status: 503, body: { status: 'draining', ...workers } }
  const reason = isNginxAlive ? describeUnready(apps) : 'nginx is not running'
  if (reason !== undefined) return { status: 503, body: { status: 'not ready', reason, ...workers } }
  return { status: 200, body: { status: 'ready', ...workers } }
}

function describeUnready(apps: HealthFacts['apps']): string | undefined {
  const unready = apps.filter(({ ready }) => ready === 0).map(({ name }) => name)
  if (unready.length === 0) return undefined
  return apps.length === 1 ? 'no worker is ready' : `no worker of ${unready.join(', ')} is ready`
}
