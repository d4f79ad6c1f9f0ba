import { formatTable } from '../base/text-table.ts'
import type { ServerHealth } from './health.ts'

/** One server of an upstream in `monohull status`. */
export interface UpstreamServerStatus {
  upstream: string
  /** As configured: `legacy.internal:5000`. */
  server: string
  /** One of its addresses, with the port; undefined if none is known. */
  address: string | undefined
  /** Result of monohull's health checks; nginx does not report what it learns from requests (`max_fails`). */
  state: 'up' | 'down' | 'unchecked' | 'not found'
  isInRotation: boolean
  /** Time in this state; undefined without health checks. */
  sinceSeconds: number | undefined
  /** Reason why it is down. */
  reason: string | undefined
}

type State = Pick<UpstreamServerStatus, 'state' | 'sinceSeconds' | 'reason'>

/** State by the health checks of a server; times on the monotonic clock. */
export function describeHealth({ isUp, since, failure }: ServerHealth, now: number): State {
  if (since === undefined) return { state: 'unchecked', sinceSeconds: undefined, reason: undefined }
  return { state: isUp ? 'up' : 'down', sinceSeconds: secondsSince(since, now), reason: failure }
}

/** State of a server whose name does not resolve; `since` is undefined during the first lookup. */
export function describeMissing(since: number | undefined, now: number): State {
  return {
    state: 'not found',
    sinceSeconds: since === undefined ? undefined : secondsSince(since, now),
    reason: undefined,
  }
}

/** Warning about a name that does not resolve; `known` are its last addresses. */
export function describeUnresolved(name: string, failingMs: number, known: readonly string[]): string {
  const consequence = known.length > 0 ? `its last addresses stay in use: ${known.join(', ')}` : 'it gets no requests'
  return `the server name ${name} has not resolved for ${Math.round(failingMs / 1000)} s; ${consequence}`
}

/** Table for `monohull status`; empty without servers. */
export function formatUpstreams(servers: readonly UpstreamServerStatus[]): string {
  if (servers.length === 0) return ''
  const rows = servers.map(({ upstream, server, address, state, isInRotation, sinceSeconds, reason }) => [
    upstream,
    address === undefined || address === server ? server : `${server} (${address})`,
    `${state}${isInRotation ? '' : ' (not in nginx)'}`,
    sinceSeconds === undefined ? '-' : `${sinceSeconds} s`,
    reason ?? '',
  ])
  return formatTable([['UPSTREAM', 'SERVER', 'STATE', 'FOR', ''], ...rows])
}

function secondsSince(since: number, now: number): number {
  return Math.round((now - since) / 1000)
}
