import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LoadOptions } from './load.ts'

const run = promisify(execFile)

/** Concurrent requests of a connection. */
export const streams = 10
/** Requests of a connection at most: nginx closes it after this number (keepalive_requests), and h2load does not replace it. */
const mostPerConnection = 1000
const leastPerConnection = 100
const timeoutMs = 120_000

/** Result of a load by h2load. */
export interface H2LoadResult {
  requests: number
  perSecond: number
  /** Requests without a response, and responses with a status of 400 or above. */
  failures: number
}

/**
 * Loads one origin over HTTP/2 with a single thread of h2load, because the servers share the machine. The first run shows how
 * many requests fill the time. After a thousand requests per connection, a new run begins with new connections. `more`: further options.
 */
export async function loadHttp2({
  url,
  connections,
  seconds,
  more = [],
}: Pick<LoadOptions, 'url' | 'connections' | 'seconds'> & { more?: readonly string[] }): Promise<H2LoadResult> {
  const total: H2LoadResult = { requests: 0, perSecond: 0, failures: 0 }
  let left = seconds
  while (left > 0) {
    const wanted = Math.ceil((left * total.perSecond) / connections)
    const count = connections * Math.min(Math.max(wanted, leastPerConnection), mostPerConnection)
    const args = ['--threads=1', `--clients=${connections}`, `--max-concurrent-streams=${streams}`]
    const { stdout } = await run('h2load', [...args, `--requests=${count}`, ...more, url], { timeout: timeoutMs })
    const { requests, perSecond, failures } = readH2load(stdout)
    left -= requests / perSecond
    total.requests += requests
    total.perSecond = total.requests / (seconds - left)
    total.failures += failures
  }
  return total
}

/** Result that h2load printed; throws if it did not speak HTTP/2, or got no response. */
export function readH2load(printed: string): H2LoadResult {
  const protocol = /^Application protocol: (.*)$/m.exec(printed)?.[1]
  const perSecond = Number(/^finished in [^,]+, ([\d.]+) req\/s/m.exec(printed)?.[1] ?? 0)
  const [, done, failed] = /^requests: .* (\d+) done, \d+ succeeded, (\d+) failed,/m.exec(printed) ?? []
  if (protocol !== 'h2' || perSecond === 0) throw new Error(`cannot read what h2load printed: ${printed}`)
  return { requests: Number(done), perSecond, failures: Number(failed) }
}
