import { pause } from '../../base/clock.ts'
import type { Runtime } from '../../base/runtime.ts'
import {
  describeInFlight,
  parseUnanswered,
  takeInFlight,
  type UnansweredRequest,
  type WorkerDeath,
} from './in-flight-requests.ts'
import { noteDeath, type OffenderCounts, type OffenderPolicy } from './repeat-offenders.ts'

/** nginx's record of requests that a worker took and did not answer. */
export interface UnansweredLog {
  /** The whole lines that came since the last time. */
  read(): string
  /** Empties it when it has grown large. */
  shorten(): void
}

const pollMs = 5
/** How long the record of a death waits for nginx, which has seen it first: less than the next worker takes to be ready. */
const promptMs = 15
/** A GET that was repeated is told of when it is done at last. */
const lateMs = 3000
const keptMs = 60_000
const keptRequests = 500
const sizeCheckMs = 10_000
const policy: OffenderPolicy = { deaths: 3, forgetAfterMs: 600_000, remembered: 200 }

export interface DeathInFlight extends WorkerDeath {
  worker: string
  /** Whether monohull ends with this worker, so that nothing can be waited for. */
  endsRun: boolean
}

/** Finds out which requests died with a worker; what comes late, and requests that kill again and again, it logs itself. */
export interface InFlight {
  of(death: DeathInFlight): Promise<string[]>
}

export type InFlightDeps = Pick<Runtime, 'clock' | 'log'> & { unanswered: UnansweredLog }

export function createInFlight({ clock, log, unanswered }: InFlightDeps): InFlight {
  let recent: UnansweredRequest[] = []
  let recentDeaths: DeathInFlight[] = []
  let counts: OffenderCounts = new Map()

  function readNew(): void {
    recent.push(...parseUnanswered(unanswered.read()))
    const oldest = clock.now() - keptMs
    recent = recent.filter(({ loggedAt, dropped }) => loggedAt > oldest && dropped.length > 0).slice(-keptRequests)
  }

  /** What is not `known` yet: a request was in flight once in each death, however often it was tried. */
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
    clock.after(sizeCheckMs, () => {
      unanswered.shorten()
      watchSize()
    })
  }

  /** What was known in time is not told, nor counted, a second time. */
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
