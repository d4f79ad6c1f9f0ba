import type { Clock } from '../../base/clock.ts'
import type { KnownNames } from './known-names.ts'

/** Has nginx forget the names that the store has forgotten, because their changes are no longer followed. */
export interface Forgetting {
  /** To be called after names were noted. */
  schedule(): void
  close(): void
}

/** Dependencies. */
export interface ForgettingDeps {
  clock: Clock
  known: Pick<KnownNames, 'forgotten' | 'confirmForgotten'>
  /** Has nginx forget names. If it rejects, it is called again. */
  send(names: readonly string[]): Promise<void>
}

const delayMs = 1000

/** Forgetting of many names at once. */
export function createForgetting({ clock, known, send }: ForgettingDeps): Forgetting {
  let cancel: (() => void) | undefined
  let isClosed = false

  async function forget(): Promise<void> {
    const names = [...known.forgotten()]
    await send(names)
    known.confirmForgotten(names)
  }

  function schedule(): void {
    if (isClosed || cancel || known.forgotten().size === 0) return
    const again = () => {
      cancel = undefined
      schedule()
    }
    cancel = clock.after(delayMs, () => forget().then(again, again))
  }

  return {
    schedule,
    close() {
      isClosed = true
      cancel?.()
    },
  }
}
