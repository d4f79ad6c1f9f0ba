import { load } from '../load.ts'
import type { Running } from '../stacks/stack.ts'
import { bodyOf, hostOf, requestsFor } from './hosts.ts'

const connections = 16
/** Hosts that change, in turn; the load requests them at random. */
const hosts = 100
const deadlineMs = 10_000

/** Result of changes under load. */
export interface Changes {
  count: number
  /** Time in ms from the reply to a change to the first response from the new target, the 99th percentile. */
  p99: number
  failed: number
  requests: number
}

/** Moves hosts between two targets under load. `set` settles when the store has accepted the new target. */
export async function measureChanges(
  running: Running,
  count: number,
  set: (host: string, target: 'first' | 'second') => Promise<unknown>,
): Promise<Changes> {
  const times: number[] = []
  const tally = { requests: 0, failed: 0 }
  let isOver = false
  const loading = (async () => {
    while (!isOver) {
      const url = `http://127.0.0.1:${running.httpPort}/`
      const lua = requestsFor('random', hosts)
      const result = await load({ url, method: 'GET', connections, seconds: 2, dir: running.dir, lua })
      tally.requests += result.requests
      tally.failed += result.status + result.connect + result.read + result.write + result.timeout
    }
  })()
  try {
    for (let index = 0; index < count; index++) {
      const host = hostOf((index % hosts) + 1)
      const target = Math.floor(index / hosts) % 2 === 0 ? 'second' : 'first'
      await set(host, target)
      const startedAt = performance.now()
      while ((await bodyOf(running, host)) !== `${target}\n`)
        if (performance.now() - startedAt > deadlineMs) throw new Error(`${host} does not move`)
      times.push(performance.now() - startedAt)
    }
  } finally {
    isOver = true
    await loading
  }
  const p99 = times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN
  return { count, p99, ...tally }
}
