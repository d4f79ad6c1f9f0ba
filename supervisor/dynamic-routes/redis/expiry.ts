import type { Clock } from '../../base/clock.ts'
import type { KnownNames } from './known-names.ts'

/** Watch for keys that expire: Redis reports the end of a key when it removes it, which may be much later. */
export interface Expiry {
  /** To be called after names were noted. */
  schedule(): void
  close(): void
}

/** Dependencies. */
export interface ExpiryDeps {
  clock: Clock
  known: Pick<KnownNames, 'nextExpiryMs' | 'takeExpired'>
  onExpired(names: readonly string[]): void
}

const longestTimerMs = 2 ** 31 - 1

/** Watch with one timer, for the key that expires first. */
export function createExpiry({ clock, known, onExpired }: ExpiryDeps): Expiry {
  let cancel = () => {}

  function schedule(): void {
    cancel()
    const nextMs = known.nextExpiryMs()
    if (nextMs === undefined) return
    cancel = clock.after(Math.min(Math.max(1, nextMs - clock.monotonic()), longestTimerMs), () => {
      onExpired(known.takeExpired())
      schedule()
    })
  }

  return { schedule, close: () => cancel() }
}
