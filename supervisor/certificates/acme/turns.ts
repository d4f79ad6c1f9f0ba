import type { Clock } from '../../base/clock.ts'

/** Urgency of an operation: a client or an operator waits for it, or nobody does. */
export type Urgency = 'awaited' | 'routine'

/** Dependencies of the turns. */
export interface TurnsDeps {
  clock: Clock
  /** Maximum number of quick operations at a time. */
  places: number
  /** Time after which an operation gives up its place, in ms. It continues, but no other operation waits for it. */
  patienceMs: number
}

/** Turns of operations with certificate authorities: a few at a time, and a slow one delays no other. */
export interface Turns {
  /** Runs an operation in its turn. The two urgencies alternate if both wait. */
  take<T>(urgency: Urgency, act: () => Promise<T>): Promise<T>
}

/** Creates turns, in which nothing waits yet. */
export function createTurns({ clock, places, patienceMs }: TurnsDeps): Turns {
  const waiting: Record<Urgency, (() => void)[]> = { awaited: [], routine: [] }
  let taken = 0
  let latest: Urgency = 'routine'

  function next(): (() => void) | undefined {
    const other = latest === 'awaited' ? 'routine' : 'awaited'
    const chosen = waiting[other].length > 0 ? other : latest
    const begin = waiting[chosen].shift()
    if (begin) latest = chosen
    return begin
  }

  function admit(): void {
    for (let begin = taken < places ? next() : undefined; begin; begin = taken < places ? next() : undefined) {
      taken++
      begin()
    }
  }

  return {
    async take(urgency, act) {
      await new Promise<void>(resolve => {
        waiting[urgency].push(resolve)
        admit()
      })
      let hasPlace = true
      const leave = () => {
        if (!hasPlace) return
        hasPlace = false
        taken--
        admit()
      }
      const cancel = clock.after(patienceMs, leave)
      try {
        return await act()
      } finally {
        cancel()
        leave()
      }
    },
  }
}
