import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'

/** Less than the time for which nginx takes an answer for fresh, several times over. */
const everyMs = 5000

/** Dependencies of the heartbeat. */
interface HeartbeatDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Tells nginx that it has received every change. */
  beat(): Promise<void>
}

/** Repeated sign of life for nginx, which asks again about the hosts that it knows without one. */
export function startHeartbeat({ clock, log, beat }: HeartbeatDeps): { close(): Promise<void> } {
  let cancel = () => {}
  let beating: Promise<void> = Promise.resolve()
  let isClosed = false

  function schedule(delayMs: number): void {
    cancel = clock.after(delayMs, () => {
      beating = beat()
        // nginx may not be running now
        .catch((error: unknown) => log.debug('nginx did not receive a sign of life', { reason: messageOf(error) }))
        .then(() => {
          if (!isClosed) schedule(everyMs)
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
