import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HealthFacts, liveness, readiness } from '../health.ts'

/** Paths and facts of the health checks. */
export interface HealthOptions {
  livePath: string
  readyPath: string
  facts: () => HealthFacts
  /** Additional fields of the readiness response, for the admin socket. */
  detail?: () => Record<string, unknown>
}

/** Responds to the two health paths; false for any other path. Uses plain node:http, so that probes do not load Express. */
export function respondToHealth(
  { livePath, readyPath, facts, detail }: HealthOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const path = (request.url ?? '').split('?')[0]
  if (path !== livePath && path !== readyPath) return false
  const { status, body } = path === livePath ? liveness(facts()) : readiness(facts())
  if (path === readyPath) Object.assign(body, detail?.())
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
  return true
}
