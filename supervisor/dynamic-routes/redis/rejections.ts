import type { Log } from '../../base/log.ts'

/** Record of keys whose values are not routes. */
export interface Rejections {
  /** Notes a rejected value, and logs it if it is new. */
  note(key: string, value: string, problem: string): void
  /** The value of the key is a route, or gone, or no longer followed. */
  clear(key: string): void
  /** Number of keys whose value is rejected now. */
  count(): number
  keys(): Iterable<string>
}

/** Values that are logged, and keys that are counted: anyone may be able to write them. */
const mostLogged = 1000
const mostCounted = 100_000
const mostShown = 80

/** Rejections that are logged once for each value. */
export function createRejections(log: Log): Rejections {
  const rejected = new Set<string>()
  const logged = new Map<string, string>()
  let isFull = false
  return {
    note(key, value, problem) {
      const shown = printable(value)
      const known = `${shown} ${problem}`
      if (rejected.size < mostCounted) rejected.add(key)
      if (logged.get(key) === known) return
      if (logged.size >= mostLogged && !logged.has(key)) {
        if (!isFull) log.warn('more dynamic routes rejected, which are not logged', { limit: mostLogged })
        isFull = true
        return
      }
      logged.set(key, known)
      // an object may contain passwords
      const isPublic = value !== '' && !value.includes('{')
      log.warn('dynamic route rejected', { key: printable(key), ...(isPublic ? { value: shown } : {}), problem })
    },
    clear(key) {
      rejected.delete(key)
      logged.delete(key)
    },
    count: () => rejected.size,
    keys: () => rejected.keys(),
  }
}

/** Foreign text as it can be logged. */
function printable(text: string): string {
  const shown = text.replace(/[^\x20-\x7e]/g, '?')
  return shown.length > mostShown ? `${shown.slice(0, mostShown)}…` : shown
}
