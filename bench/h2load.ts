import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LoadOptions } from './load.ts'

const run = promisify(execFile)

/** Requests of a connection that are under way at the same time. */
export const streams = 10

export interface H2LoadResult {
  requests: number
  perSecond: number
  /** Requests without an answer, and answers from 400 on. */
  failures: number
}

/** Loads one origin over HTTP/2 with h2load; one thread of it, as the servers share the machine. */
export async function loadHttp2({
  url,
  connections,
  seconds,
}: Pick<LoadOptions, 'url' | 'connections' | 'seconds'>): Promise<H2LoadResult> {
  const args = [
    '--threads=1',
    `--clients=${connections}`,
    `--max-concurrent-streams=${streams}`,
    `--duration=${seconds}`,
  ]
  const { stdout } = await run('h2load', [...args, url], { timeout: (seconds + 30) * 1000 })
  return readH2load(stdout)
}

/** What h2load tells at its end; throws when it spoke anything but HTTP/2. */
export function readH2load(printed: string): H2LoadResult {
  const protocol = /^Application protocol: (.*)$/m.exec(printed)?.[1]
  const perSecond = /^finished in [^,]+, ([\d.]+) req\/s/m.exec(printed)?.[1]
  const [, done, failed] = /^requests: .* (\d+) done, \d+ succeeded, (\d+) failed,/m.exec(printed) ?? []
  if (protocol !== 'h2' || perSecond === undefined || done === undefined)
    throw new Error(`cannot read what h2load printed: ${printed}`)
  return { requests: Number(done), perSecond: Number(perSecond), failures: Number(failed) }
}
