import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { home } from './workspace.ts'

const run = promisify(execFile)

/** Options of a load by wrk. */
export interface LoadOptions {
  url: string
  method: 'GET' | 'POST'
  connections: number
  seconds: number
  /** Whether each request uses a new connection. */
  isFresh?: boolean
  /** Lua for wrk that makes the requests; default: wrk's own for the URL. */
  lua?: string
  /** Directory for wrk's script. */
  dir: string
}

/** Result of a load by wrk. */
export interface LoadResult {
  requests: number
  perSecond: number
  /** Latency in ms. */
  p99: number
  /** Responses with a status of 400 or above. */
  status: number
  /** Socket errors by operation, as wrk counts them. */
  connect: number
  read: number
  write: number
  timeout: number
}

/** Loads one origin with a single thread of wrk, because the servers share the machine. */
export async function load({
  url,
  method,
  connections,
  seconds,
  dir,
  lua = '',
  isFresh = false,
}: LoadOptions): Promise<LoadResult> {
  const script = join(dir, `${method}.lua`)
  const parts = [...(method === 'POST' ? ['post.lua'] : []), ...(isFresh ? ['fresh.lua'] : []), 'report.lua']
  const texts = parts.map(name => readFileSync(join(home, 'bench/peers', name), 'utf8'))
  writeFileSync(script, [lua, ...texts].join('\n'))
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '-s', script, url]
  const { stdout } = await run('wrk', args, { timeout: (seconds + 30) * 1000 })
  const line = /^BENCH (.*)$/m.exec(stdout)?.[1]
  if (!line) throw new Error(`cannot read what wrk printed: ${stdout}`)
  const { microseconds, p99, ...counts } = JSON.parse(line) as Record<string, number>
  return {
    ...(counts as Omit<LoadResult, 'perSecond' | 'p99'>),
    perSecond: ((counts.requests ?? 0) * 1e6) / (microseconds ?? 1),
    p99: (p99 ?? 0) / 1000,
  }
}
