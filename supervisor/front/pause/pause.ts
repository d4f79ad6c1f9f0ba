import { pause as wait } from '../../base/clock.ts'
import { formatDuration, parseDuration } from '../../base/duration.ts'
import { reasonOf } from '../../base/errors.ts'
import { gauge, type Metric } from '../../base/metrics.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Runtime } from '../../base/runtime.ts'
import { pauseBounds as bounds } from './bounds.ts'

/** Duration of a pause without one. */
const usual = '30s'
/** Most time for requests that were in flight when the pause began, and its share of the pause. */
const drainMs = 10_000
const drainShare = 0.5
const pollMs = 50

/** Part of nginx's model that depends on a pause. */
export interface PauseModel {
  /** File that stops requests while it exists; undefined while nothing is paused. */
  pauseGate: string | undefined
}

/** The gate; see adapters/gate. */
export interface PauseGate {
  path: string
  /** Stops requests until `until`, in ms since the epoch. */
  close(until: number): void
  open(): void
}

/** Dependencies of a pause. */
export interface PauseDeps extends Pick<Runtime, 'clock' | 'log'> {
  gate: PauseGate
  hasLua: boolean
  /** Updates nginx; settles when new requests get the new configuration. Rejects if nginx refuses it. */
  follow(): Promise<void>
  /** nginx workers that finish requests from before. */
  oldWorkers(): number
}

/** Pause of all requests to apps and upstreams, as a subject of a run. No pause survives a restart. */
export interface Pause {
  readonly name: string
  /** Lets requests wait for at most `duration`. Settles when none is in flight, or the time for that is over. */
  begin(duration?: string): Promise<Outcome>
  /** Lets them go on. */
  end(): Promise<Outcome>
  model(): PauseModel
  status(): { pausedUntil?: string }
  warnings(): string[]
  metrics(): Metric[]
  quiesce(): void
}

/** Opens a pause that has not begun. Call it before nginx starts. */
export function openPause({ gate, hasLua, follow, oldWorkers, clock, log }: PauseDeps): Pause {
  /** End in ms since the epoch. */
  let until: number | undefined
  let beganAt = 0
  let cancelEnd = () => {}
  gate.open()

  function release(by: string): void {
    cancelEnd()
    gate.open()
    until = undefined
    log.info('resumed: requests go on', { by, after: formatDuration(clock.monotonic() - beganAt) })
  }

  /** Takes the gate out of nginx's configuration. Until then it costs each request a look for its file. */
  async function forget(): Promise<void> {
    try {
      if (until === undefined) await follow()
    } catch (error) {
      log.warn('cannot update nginx after a pause; requests go on', { reason: reasonOf(error) })
    }
  }

  async function drained(before: number, forMs: number): Promise<number> {
    const deadline = clock.monotonic() + Math.min(drainMs, forMs * drainShare)
    while (until !== undefined && oldWorkers() > before && clock.monotonic() < deadline) await wait(clock, pollMs)
    return oldWorkers()
  }

  return {
    name: 'pause',
    async begin(duration = usual) {
      const refused = (reason: string): Outcome => ({ ok: false, message: 'cannot pause', reason })
      if (!hasLua) return refused('nginx has no Lua to let requests wait; install libnginx-mod-http-lua')
      const forMs = parseDuration(duration)
      if (forMs === undefined) return refused(`--for: ${duration} is not a duration such as 30s or 2m`)
      if (forMs < ms(bounds.min) || forMs > ms(bounds.max))
        return refused(`--for: ${duration} is not between ${bounds.min} and ${bounds.max}`)
      const isFirst = until === undefined
      const end = clock.now() + forMs
      try {
        gate.close(end)
      } catch (error) {
        return refused(reasonOf(error))
      }
      if (isFirst) beganAt = clock.monotonic()
      until = end
      cancelEnd()
      cancelEnd = clock.after(forMs, () => {
        release('itself')
        void forget()
      })
      log.warn('paused: requests to apps and upstreams wait', { until: new Date(end).toISOString() })
      if (!isFirst) return { ok: true, message: `the pause lasts until ${new Date(end).toISOString()}` }
      const before = oldWorkers()
      try {
        await follow()
      } catch (error) {
        release('a failed update of nginx')
        return refused(reasonOf(error))
      }
      const left = await drained(before, forMs)
      if (until === undefined) return refused('it ended before all requests waited; give it more time with --for')
      const inFlight =
        left === 0
          ? 'no request is in flight'
          : `${left} old nginx ${left === 1 ? 'worker has' : 'workers have'} requests in flight, or WebSockets`
      return {
        ok: true,
        message: `paused until ${new Date(until).toISOString()}: requests wait, and ${inFlight}; monohull resume ends it`,
      }
    },
    async end() {
      if (until === undefined) return { ok: true, message: 'nothing was paused' }
      release('a command')
      void forget()
      return { ok: true, message: 'resumed: requests go on' }
    },
    model: () => ({ pauseGate: until === undefined ? undefined : gate.path }),
    status: () => (until === undefined ? {} : { pausedUntil: new Date(until).toISOString() }),
    warnings: () =>
      until === undefined
        ? []
        : [`requests wait until ${new Date(until).toISOString()} at the latest; monohull resume ends the pause`],
    metrics: () => [gauge('paused', 'Whether requests to apps and upstreams wait', until === undefined ? 0 : 1)],
    quiesce() {
      if (until !== undefined) release('the stop')
    },
  }
}

function ms(duration: string): number {
  return parseDuration(duration) ?? 0
}
