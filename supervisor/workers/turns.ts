/** Who may replace workers of a pool now. One budget for all reasons. */
export interface Turns {
  /** For a command: when nobody else replaces anything. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** For a worker that is due: when no command does, and fewer than `limit` others are at it. */
  beside<T>(work: () => Promise<T>): Promise<T>
}

export function createTurns(limit: () => number): Turns {
  const waiting: { isAlone: boolean; begin: () => void }[] = []
  let running = 0
  let isTaken = false

  function admit(): void {
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (isTaken || (next.isAlone ? running > 0 : running >= limit())) return
      waiting.shift()
      running++
      isTaken = next.isAlone
      next.begin()
    }
  }

  async function take<T>(isAlone: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>(resolve => {
      waiting.push({ isAlone, begin: resolve })
      admit()
    })
    try {
      return await work()
    } finally {
      running--
      if (isAlone) isTaken = false
      admit()
    }
  }

  return { alone: work => take(true, work), beside: work => take(false, work) }
}
