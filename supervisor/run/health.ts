import type { WorkerCount } from '../workers/ready-count.ts'

/** Facts that health depends on. */
export interface HealthFacts {
  isDraining: boolean
  /** Reason for an orchestrator to restart the container; undefined while there is none. */
  failing: string | undefined
  /** Reason to send no requests here; undefined while there is none. */
  unready: string | undefined
  /** Undefined if no route leads to an app with workers. */
  workers: WorkerCount | undefined
}

/** Response to a health check. */
export interface HealthResponse {
  status: 200 | 503
  body: Record<string, unknown>
}

/** Liveness response: an orchestrator restarts the container when it fails. It ignores workers, which monohull restarts itself. */
export function liveness({ failing }: Pick<HealthFacts, 'failing'>): HealthResponse {
  return failing === undefined
    ? { status: 200, body: { status: 'ok' } }
    : { status: 503, body: { status: 'failing', reason: failing } }
}

/** Readiness response: a load balancer sends no requests while it fails. */
export function readiness({ isDraining, unready, workers: count }: HealthFacts): HealthResponse {
  const workers = count ? { workers: count } : {}
  if (isDraining) return { status: 503, body: { status: 'draining', ...workers } }
  if (unready !== undefined) return { status: 503, body: { status: 'not ready', reason: unready, ...workers } }
  return { status: 200, body: { status: 'ready', ...workers } }
}
