import type { Clock } from '../../base/clock.ts'
import { readRouteHost } from '../route-host.ts'
import { type Call, readValue } from './key-reader.ts'
import type { Rejections } from './rejections.ts'

/** Keys that hold routes but are never read, because their names are not written as hosts are. */
export interface MisnamedKeys {
  /** Whether the name in a key resembles a host or wildcard. */
  isSuspect(name: string): boolean
  /** The same for a key that was changed, as long as there are not too many of them. */
  isDue(name: string): boolean
  /** Reads keys with such names, and records those that hold a route as rejected. */
  report(call: Call, names: readonly string[]): Promise<void>
}

/** Keys that are read in a second: other programs may change many that resemble hosts. */
const mostPerSecond = 50

/** Watch for misnamed keys below a prefix. */
export function createMisnamedKeys(prefix: string, rejections: Rejections, clock: Clock): MisnamedKeys {
  let second = 0
  let count = 0

  function isWithinBound(): boolean {
    const now = Math.floor(clock.monotonic() / 1000)
    count = now === second ? count + 1 : 1
    second = now
    return count <= mostPerSecond
  }

  async function look(call: Call, name: string): Promise<void> {
    const { route, text } = await readValue(call, prefix + name)
    // without a prefix, other programs may have keys with such names
    if (route?.ok) rejections.note(prefix + name, text, findNameProblem(name) ?? '')
    else rejections.clear(prefix + name)
  }

  return {
    isSuspect: name => findNameProblem(name) !== undefined,
    isDue: name => findNameProblem(name) !== undefined && isWithinBound(),
    report: async (call, names) => void (await Promise.all(names.map(name => look(call, name)))),
  }
}

/** Reason why a name that resembles a host is never looked up; undefined if it is looked up, or does not resemble one. */
export function findNameProblem(name: string): string | undefined {
  const host = readRouteHost(name.replace(/^https?:\/\//i, '').replace(/(:\d+)?\/?$/, ''))
  if (host.ok) return host.value === name ? undefined : `is never looked up under this name; its key is ${host.value}`
  if (!name.includes('*') || !(name === '*' || readRouteHost(name.replaceAll('*', 'x')).ok)) return undefined
  return 'is never looked up under this name: a wildcard is *. and a domain, such as *.example.com'
}
