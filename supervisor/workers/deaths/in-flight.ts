import { pause, restTickMs, untilTick } from '../../base/clock.ts'
import type { Runtime } from '../../base/runtime.ts'
import {
  describeInFlight,
  parseUnanswered,
  takeInFlight,
  type UnansweredRequest,
  type WorkerDeath,
} from './in-flight-requests.ts'
import { noteDeath, type OffenderCounts, type OffenderPolicy } from './repeat-offenders.ts'

/** nginx's log of requests that a worker accepted but did not respond to. */
export interface UnansweredLog {
  /** Complete lines since the last call. */
  read(): string
  /** Truncates the file if it is large. */
  shorten(): void
}

const pollMs = 5
/** Time that the record of a death waits for nginx's log: less than the next worker takes to become ready. */
const promptMs = 15
/** Delay after which late requests are reported: nginx logs a retried GET only when it is complete. */
const lateMs = 3000
const keptMs = 60_000
const keptRequests = 500
const policy: OffenderPolicy = { deaths: 3, forgetAfterMs: 600_000, remembered: 200 }

/** A death whose requests are wanted. */
export interface DeathInFlight extends WorkerDeath {
  worker: string
  /** Whether the run ends with this worker, so that there is no time to wait. */
  endsRun: boolean
}

/** Finds the requests that were in flight when a worker died. Logs late ones, and requests that were in flight repeatedly. */
export interface InFlight {
  /** Texts of the requests that are known within 15 ms, or immediately if the run ends. */
  of(death: DeathInFlight): Promise<string[]>
}

/** Dependencies of the search for requests in flight. */
export type InFlightDeps = Pick<Runtime, 'clock' | 'log'> & { unanswered: UnansweredLog }

/** Search for requests in flight, in nginx's log. */
export function createInFlight({ clock, log, unanswered }: InFlightDeps): InFlight {
  let recent: UnansweredRequest[] = []
  let recentDeaths: DeathInFlight[] = []
  let counts: OffenderCounts = new Map()

  function readNew(): void {
    recent.push(...parseUnanswered(unanswered.read()))
    const oldest = clock.now() - keptMs
    recent = recent.filter(({ loggedAt, dropped }) => loggedAt > oldest && dropped.length > 0).slice(-keptRequests)
  }

  /** Requests that are not in `known`: a request counts once per death, however often it was tried. */
  function take(death: DeathInFlight, known: readonly UnansweredRequest[]): UnansweredRequest[] {
    readNew()
    return takeInFlight(
      recent.filter(request => !known.includes(request)),
      death,
      recentDeaths,
    )
  }

  function count(found: readonly UnansweredRequest[]): void {
    const requests = found.map(({ method, path }) => `${method} ${path}`)
    const step = noteDeath(counts, { requests, at: clock.monotonic() }, policy)
    counts = step.counts
    for (const { request, deaths } of step.suspects) {
      const ids = found.filter(({ method, path }) => `${method} ${path}` === request).map(({ id }) => id)
      log.warn('the same request was in flight each time that a worker died', {
        request,
        deaths,
        request_id: ids.at(-1),
      })
    }
  }

  function watchSize(): void {
    clock.after(untilTick(clock, restTickMs), () => {
      unanswered.shorten()
      watchSize()
    })
  }

  /** Logs and counts requests that were not known when the death was recorded. */
  function logLate(death: DeathInFlight, known: readonly UnansweredRequest[]): void {
    const keys = new Set(known.map(({ method, path }) => `${method} ${path}`))
    const late = take(death, known)
    if (late.length === 0) return
    log.warn('a worker had more requests in flight when it died', {
      worker: death.worker,
      in_flight: describeInFlight(late),
    })
    count(late.filter(({ method, path }) => !keys.has(`${method} ${path}`)))
  }

  watchSize()
  return {
    async of(death) {
      recentDeaths = [...recentDeaths.filter(({ at }) => at > clock.now() - keptMs), death]
      const deadline = clock.monotonic() + (death.endsRun ? 0 : promptMs)
      const found = take(death, [])
      while (clock.monotonic() < deadline) {
        await pause(clock, pollMs)
        found.push(...take(death, found))
      }
      count(found)
      if (!death.endsRun) clock.after(lateMs, () => logLate(death, found))
      return describeInFlight(found)
    },
  }
}
