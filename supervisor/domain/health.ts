/** What health depends on. */
export interface HealthFacts {
  isNginxAlive: boolean
  isDraining: boolean
  /** Ready workers; undefined when the content is static files. */
  readyWorkers: number | undefined
  totalWorkers: number
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

/** Readiness: a load balancer sends no requests while it fails. */
export function readiness(facts: HealthFacts): HealthAnswer {
  const workers =
    facts.readyWorkers === undefined ? {} : { workers: { ready: facts.readyWorkers, total: facts.totalWorkers } }
  if (facts.isDraining) return { status: 503, body: { status: 'draining', ...workers } }
  if (!facts.isNginxAlive)
    return { status: 503, body: { status: 'not ready', reason: 'nginx is not running', ...workers } }
  if (facts.readyWorkers === 0)
    return { status: 503, body: { status: 'not ready', reason: 'no worker is ready', ...workers } }
  return { status: 200, body: { status: 'ready', ...workers } }
}
