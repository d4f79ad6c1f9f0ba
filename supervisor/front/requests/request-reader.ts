import type { CountedRoute } from './counted-route.ts'
import { forgetPath, reportPath } from './request-counter.ts'
import type { RequestCounts } from './request-counts.ts'
import { parseReport } from './request-report.ts'

/** Dependencies of `readRequests`. */
export interface RequestReaderDeps {
  /** The counted routes in force, by their id. */
  routes(): Promise<ReadonlyMap<string, CountedRoute>>
  /** Workers by the inode of their socket. */
  sockets(): ReadonlyMap<number, string>
  /** Time in ms since the Unix epoch. */
  now(): number
  /** Body of nginx's response on its status socket; undefined if there is none with status 200. */
  get(path: string): Promise<string | undefined>
}

/** Routes in one request at most: nginx reads lines of up to 8 KB. */
const mostForgotten = 200

/**
 * Reads nginx's counts; undefined if nginx does not count, or does not respond. Counts of routes that are no longer configured are left
 * out, and nginx forgets them.
 */
export async function readRequests({
  routes,
  sockets,
  now,
  get,
}: RequestReaderDeps): Promise<RequestCounts | undefined> {
  const text = await get(reportPath)
  if (text === undefined) return undefined
  const { counts, unknown } = parseReport(text, { routes: await routes(), now: now(), sockets: sockets() })
  if (unknown.length > 0) await get(`${forgetPath}?${unknown.slice(0, mostForgotten).join(',')}`)
  return counts
}
