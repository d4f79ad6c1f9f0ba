import type { Complain } from '../config/report.ts'

/** Looks for something, unless the same was looked for before without a problem. `id` names it, and becomes JSON. */
export type Remember = <T>(id: unknown, look: (complain: Complain) => T) => T

/** Findings about programs, for others that have something in common. Problems go to `complain` each time. */
export function createSharedFindings(complain: Complain): Remember {
  const known = new Map<string, unknown>()
  return <T>(id: unknown, look: (complain: Complain) => T): T => {
    const name = JSON.stringify(id)
    if (known.has(name)) return known.get(name) as T
    let isClean = true
    const found = look((...problem) => {
      isClean = false
      complain(...problem)
    })
    if (isClean) known.set(name, found)
    return found
  }
}
