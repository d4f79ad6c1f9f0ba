import { escapePattern } from '../../shared-state/redis/pattern.ts'
import { readRouteHost } from '../route-host.ts'
import type { Call } from './key-reader.ts'

/** Keys that one call looks at: about a millisecond of the server's time. */
const perCall = 1000

/** Keys that begin with a prefix and continue as a glob pattern says, in batches. Keys that change meanwhile may be missing, or appear twice. */
export async function* scanKeys(call: Call, prefix: string, pattern: string): AsyncGenerator<string[]> {
  let cursor = '0'
  do {
    const reply = await call(['SCAN', cursor, 'MATCH', `${escapePattern(prefix)}${pattern}`, 'COUNT', String(perCall)])
    const [next, keys] = reply as [string, string[]]
    if (keys.length > 0) yield keys.map(String)
    cursor = String(next)
  } while (cursor !== '0')
}

/** Names in keys that match a pattern (pattern.ts), in batches. */
export async function* scanNames(call: Call, prefix: string, pattern: string): AsyncGenerator<string[]> {
  const glob = escapePattern(pattern.toLowerCase()).replaceAll('\\*', '*')
  for await (const keys of scanKeys(call, prefix, glob)) yield keys.map(key => key.slice(prefix.length))
}

/** Whether the name in a key is written as the host or wildcard that it is. */
export function isRouteName(text: string): boolean {
  const host = readRouteHost(text)
  return host.ok && host.value === text
}
