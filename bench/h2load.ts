import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LoadOptions } from './load.ts'

const run = promisify(execFile)

/** Requests of a connection that are under way at the same time. */
export const streams = 10
/** nginx ends a connection after so many (keepalive_requests), and h2load opens no other in its place. */
const mostPerConnection = 1000
const leastPerConnection = 100
const timeoutMs = 120_000

export interface H2LoadResult {
  requests: number
  perSecond: number
  /** Requests without an answer, and answers from 400 on. */
  failures: number
}

/**
 * Loads one origin over HTTP/2 with h2load; one thread of it, as the servers share the machine. The first connections tell how
 * many requests the seconds take; each further thousand of a connection takes new ones.
 */
export async function loadHttp2({
  url,
  connections,
  seconds,
}: Pick<LoadOptions, 'url' | 'connections' | 'seconds'>): Promise<H2LoadResult> {
  const total: H2LoadResult = { requests: 0, perSecond: 0, failures: 0 }
  let left = seconds
  while (left > 0) {
    const wanted = Math.ceil((left * total.perSecond) / connections)
    const count = connections * Math.min(Math.max(wanted, leastPerConnection), mostPerConnection)
    const args = ['--threads=1', `--clients=${connections}`, `--max-concurrent-streams=${streams}`]
    const { stdout } = await run('h2load', [...args, `--requests=${count}`, url], { timeout: timeoutMs })
    const { requests, perSecond, failures } = readH2load(stdout)
    left -= requests / perSecond
    total.requests += requests
    total.perSecond = total.requests / (seconds - left)
    total.failures += failures
  }
  return total
}

/** What h2load tells at its end; throws when it spoke anything but HTTP/2, or was not answered. */
export function readH2load(printed: string): H2LoadResult {
  const protocol = /^Application protocol: (.*)$/m.exec(printed)?.[1]
  const perSecond = Number(/^finished in [^,]+, ([\d.]+) req\/s/m.exec(printed)?.[1] ?? 0)
  const [, done, failed] = /^requests: .* (\d+) done, \d+ succeeded, (\d+) failed,/m.exec(printed) ?? []
  if (protocol !== 'h2' || perSecond === 0) throw new Error(`cannot read what h2load printed: ${printed}`)
  return { requests: Number(done), perSecond, failures: Number(failed) }
}
