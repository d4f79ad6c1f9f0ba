import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'

/** Less than the time for which nginx takes an answer for fresh, several times over. */
const everyMs = 5000
/** nginx trusts no answer from before the first sign of life: it comes soon after the store is there. */
const soonMs = 200

/** Dependencies of the heartbeat. */
interface HeartbeatDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Tells nginx that it has received every change. Settles with whether it could. */
  beat(): Promise<boolean>
}

/** Repeated sign of life for nginx, which asks again about the hosts that it knows without one. */
export function startHeartbeat({ clock, log, beat }: HeartbeatDeps): { close(): Promise<void> } {
  let cancel = () => {}
  let beating: Promise<void> = Promise.resolve()
  let isClosed = false

  function schedule(delayMs: number): void {
    cancel = clock.after(delayMs, () => {
      beating = beat()
        .catch((error: unknown) => {
          // nginx may not be running now
          log.debug('nginx did not receive a sign of life', { reason: messageOf(error) })
          return false
        })
        .then(isDone => {
          if (!isClosed) schedule(isDone ? everyMs : soonMs)
        })
    })
  }

  schedule(0)
  return {
    async close() {
      isClosed = true
      cancel()
      await beating
    },
  }
}
