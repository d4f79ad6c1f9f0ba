/** Queue of everything that replaces workers of a pool: one budget for all reasons. */
export interface Turns {
  /** Runs work when no other work runs; for commands. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Waits until no other work runs. None begins until the returned function is called. */
  hold(): Promise<() => void>
  /** Runs work when no exclusive work runs, and fewer than `limit` others do; for recycling. */
  shared<T>(work: () => Promise<T>): Promise<T>
}

/** Queue with a limit on shared work, which may change. */
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

  async function hold(isExclusive: boolean): Promise<() => void> {
    await new Promise<void>(resolve => {
      waiting.push({ isExclusive, begin: resolve })
      admit()
    })
    return () => {
      running--
      if (isExclusive) isExclusiveRunning = false
      admit()
    }
  }

  async function take<T>(isExclusive: boolean, work: () => Promise<T>): Promise<T> {
    const release = await hold(isExclusive)
    try {
      return await work()
    } finally {
      release()
    }
  }

  return {
    exclusive: work => take(true, work),
    hold: () => hold(true),
    shared: work => take(false, work),
  }
}
