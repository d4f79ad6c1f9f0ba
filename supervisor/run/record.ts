import { formatEvent, type LogEvent } from '../base/log.ts'
import { createLogRing, type LogRing } from '../logs/log-ring.ts'
import { createDeaths, type Deaths } from './deaths.ts'
import { createEvents, type Events } from './events.ts'

/** What a run remembers for whoever asks later, in bounded memory. */
export interface RunRecord {
  logs: LogRing
  events: Events
  deaths: Deaths
  /** Lines that are not in `logs`, in a sentence each. */
  missing: readonly string[]
}

/** Record of a run, and what feeds it: the run's own log, so that no event is reported twice. */
export function createRunRecord(
  { now }: { now: () => number },
  { log_format, access_log }: { log_format: string; access_log: unknown },
): { record: RunRecord; observe: (event: LogEvent) => void } {
  const logs = createLogRing({ now })
  const events = createEvents()
  const deaths = createDeaths(logs)
  const missing = [
    ...(access_log ? ['nginx writes access lines to the log by itself (docker logs): they are not here'] : []),
    ...(log_format === 'raw'
      ? ['with log_format: raw, programs write to stdout and stderr by themselves: their lines are not here']
      : []),
  ]
  return {
    record: { logs, events, deaths, missing },
    observe(event) {
      const { level, message, fields, isWritten } = event
      if (isWritten) logs.append({ source: 'monohull', origin: level }, formatEvent(message, fields))
      const death = deaths.observe(event)
      events.add(event, death && { death: death.id })
    },
  }
}
