/** Who may replace workers of a pool now. One budget for all reasons. */
export interface Turns {
  /** For a command: when nobody else replaces anything. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** For a worker that is due: when no command does, and fewer than `limit` others are at it. */
  shared<T>(work: () => Promise<T>): Promise<T>
}

export function createTurns(limit: () => number): Turns {
  const waiting: { isExclusive: boolean; begin: () => void }[] = []
  let running = 0
  let isExclusiveRunning = false

  function admit(): void {
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (isExclusiveRunning || (next.isExclusive ? running > 0 : running >= limit())) return
      waiting.shift()
      running++
      isExclusiveRunning = next.isExclusive
      next.begin()
    }
  }

  async function take<T>(isExclusive: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>(resolve => {
      waiting.push({ isExclusive, begin: resolve })
      admit()
    })
    try {
      return await work()
    } finally {
      running--
      if (isExclusive) isExclusiveRunning = false
      admit()
    }
  }

  return { exclusive: work => take(true, work), shared: work => take(false, work) }
}
