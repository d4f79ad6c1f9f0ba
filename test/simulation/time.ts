import type { Clock } from '../../supervisor/base/clock.ts'

/** Simulated time. */
export interface Time {
  clock: Clock
  /** Runs the next timer, and what it settles. False if none is left. */
  step(): Promise<boolean>
  /** Timers that are not due yet. */
  waiting(): number
}

/** Time that stands at 0. Timers of the same moment run in the order in which they were set. */
export function createTime(): Time {
  let now = 0
  let count = 0
  const timers = new Set<{ at: number; order: number; callback: () => void }>()

  return {
    clock: {
      now: () => now,
      monotonic: () => now,
      after(delayMs, callback) {
        const timer = { at: now + Math.max(0, delayMs), order: count++, callback }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    async step() {
      await settled()
      let next: { at: number; order: number; callback: () => void } | undefined
      for (const timer of timers)
        if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
      if (!next) return false
      timers.delete(next)
      now = next.at
      next.callback()
      await settled()
      return true
    },
    waiting: () => timers.size,
  }
}

/** Settles when everything that was settled before has gone on. A tick that is asked for by a microtask comes after all of these. */
async function settled(): Promise<void> {
  await undefined
  await new Promise<void>(resolve => process.nextTick(resolve))
}
