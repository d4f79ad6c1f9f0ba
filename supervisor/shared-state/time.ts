import type { Clock } from '../base/clock.ts'
import type { SharedState } from './state.ts'

/** Dependencies of the shared time. */
export interface SharedTimeDeps {
  clock: Clock
  /** Time of the store, in ms since the Unix epoch. */
  ask(): Promise<number>
}

/** Time of the store, which goes on by the monotonic clock between two measurements. */
export function createSharedTime({ clock, ask }: SharedTimeDeps): Pick<SharedState, 'now' | 'measureTime'> {
  let aheadMs: number | undefined
  return {
    now: () => (aheadMs === undefined ? clock.now() : clock.monotonic() + aheadMs),
    async measureTime() {
      const begunMs = clock.monotonic()
      const time = await ask()
      // halfway between the request and the reply
      aheadMs = time - (begunMs + clock.monotonic()) / 2
    },
  }
}
