import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HealthFacts, liveness, readiness } from '../health.ts'

export interface HealthOptions {
  livePath: string
  readyPath: string
  facts: () => HealthFacts
  /** What readiness tells besides, to whom it is meant for. */
  detail?: () => Record<string, unknown>
}

/** Answers the two health paths; false for any other. Plain node:http, so that probes do not load Express. */
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
