import type { Clock } from '../../supervisor/base/clock.ts'

export interface HandClock {
  clock: Clock
  /** Moves time on, timer by timer; what each settles goes on before the next. */
  advance(ms: number): Promise<void>
  /** Timers that are not due yet. */
  waiting(): number
}

/** A clock that is moved by hand. */
export function createHandClock(): HandClock {
  let now = 0
  const timers = new Set<{ at: number; callback: () => void }>()

  function nextUntil(end: number) {
    return [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
  }

  return {
    clock: {
      now: () => now,
      monotonic: () => now,
      after(delayMs, callback) {
        const timer = { at: now + delayMs, callback }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    async advance(ms) {
      const end = now + ms
      await othersTurn()
      for (let timer = nextUntil(end); timer; timer = nextUntil(end)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.callback()
        await othersTurn()
      }
      now = end
    },
    waiting: () => timers.size,
  }
}

/** Settles when everything that was settled has gone on. */
function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
