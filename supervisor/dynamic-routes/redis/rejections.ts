import type { Log } from '../../base/log.ts'

/** Record of values that are not routes. */
export interface Rejections {
  /** Counts a rejected value, and logs it if it is new. */
  note(key: string, value: string, problem: string): void
  /** The value of the key is a route, or gone. */
  clear(key: string): void
  /** Values rejected since startup. */
  count(): number
}

/** Values that are remembered; further ones are only counted. */
const mostRemembered = 1000
const mostShown = 80

/** Rejections that are logged once for each value. */
export function createRejections(log: Log): Rejections {
  const logged = new Map<string, string>()
  let count = 0
  let isFull = false
  return {
    note(key, value, problem) {
      const shown = printable(value)
      const known = `${shown} ${problem}`
      if (logged.get(key) === known) return
      count += 1
      if (logged.size >= mostRemembered && !logged.has(key)) {
        if (!isFull) log.warn('more dynamic routes rejected, which are not logged', { limit: mostRemembered })
        isFull = true
        return
      }
      logged.set(key, known)
      // an object may contain passwords
      const isPublic = value !== '' && !value.includes('{')
      log.warn('dynamic route rejected', { key: printable(key), ...(isPublic ? { value: shown } : {}), problem })
    },
    clear: key => void logged.delete(key),
    count: () => count,
  }
}

/** Foreign text as it can be logged. */
function printable(text: string): string {
  const shown = text.replace(/[^\x20-\x7e]/g, '?')
  return shown.length > mostShown ? `${shown.slice(0, mostShown)}…` : shown
}
