import { formatTable } from '../base/text-table.ts'
import type { ServerHealth } from './health.ts'

/** One server of an upstream as `monohull status` shows it. */
export interface UpstreamServerStatus {
  upstream: string
  /** As configured: `legacy.internal:5000`. */
  server: string
  /** One of the addresses that its name leads to, with the port; undefined: none is known. */
  address: string | undefined
  /** By monohull's own checks; what nginx finds out with requests, it does not tell. */
  state: 'up' | 'down' | 'unchecked' | 'not found'
  isInRotation: boolean
  /** How long it has been in this state; undefined when nothing checks it. */
  sinceSeconds: number | undefined
  /** What is wrong with one that is down. */
  reason: string | undefined
}

type State = Pick<UpstreamServerStatus, 'state' | 'sinceSeconds' | 'reason'>

/** What the checks of a server tell; times on the monotonic clock. */
export function describeHealth({ isUp, since, failure }: ServerHealth, now: number): State {
  if (since === undefined) return { state: 'unchecked', sinceSeconds: undefined, reason: undefined }
  return { state: isUp ? 'up' : 'down', sinceSeconds: secondsSince(since, now), reason: failure }
}

/** The state of a server whose name leads nowhere; `since` is undefined while it is looked up for the first time. */
export function describeMissing(since: number | undefined, now: number): State {
  return {
    state: 'not found',
    sinceSeconds: since === undefined ? undefined : secondsSince(since, now),
    reason: undefined,
  }
}

/** As a table for people. */
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
