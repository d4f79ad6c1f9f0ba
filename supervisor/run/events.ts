import { isAtLeast, type LogEvent, type LogFields, type LogLevel } from '../base/log.ts'
import { type EventKind, kindOf, subjectOf } from './event-kind.ts'

/** Event of the run, such as a death, a reload or a renewal. */
export interface RunEvent {
  /** Grows from event to event. */
  id: number
  /** ISO 8601. */
  time: string
  kind: EventKind
  level: LogLevel
  /** What it is about, such as `app.1`. */
  subject?: string | undefined
  message: string
  /** Variable parts. Of a death, `death` is the id of its record. */
  fields: LogFields
}

/** Selection of events. Without a key, nothing is left out for it. */
export interface EventFilter {
  kinds?: readonly EventKind[] | undefined
  /** Lowest level. */
  level?: LogLevel | undefined
  /** Events from this time on, in ms since the Unix epoch. */
  since?: number | undefined
  /** Events after the one with this id. */
  after?: number | undefined
}

/** The last 500 events of the run. */
export interface Events {
  /** Adds what the log reported, with further fields. */
  add(event: LogEvent, more?: LogFields): void
  /** The last `limit` events that match, oldest first; default: all. */
  read(filter?: EventFilter, limit?: number): RunEvent[]
  /** Calls `onEvent` for each new event that matches. Returns a function that ends it. */
  follow(filter: EventFilter, onEvent: (event: RunEvent) => void): () => void
}

const kept = 500
const longestText = 1000
/** The record of a death has them. */
const longFields = new Set(['last_lines', 'stack'])

/** Events of a run, none so far. */
export function createEvents(): Events {
  const events: RunEvent[] = []
  const followers = new Set<(event: RunEvent) => void>()
  let id = 0
  return {
    add({ time, level, message, fields }, more) {
      if (level === 'debug') return
      const event = {
        id: ++id,
        time: new Date(time).toISOString(),
        kind: kindOf(message),
        level,
        subject: subjectOf(fields),
        message,
        fields: plainFields({ ...fields, ...more }),
      }
      events.push(event)
      if (events.length > kept) events.shift()
      for (const follower of followers) follower(event)
    },
    read(filter = {}, limit = kept) {
      const found = events.filter(event => matches(event, filter))
      return limit < 1 ? [] : found.slice(-limit)
    },
    follow(filter, onEvent) {
      const follower = (event: RunEvent) => {
        if (matches(event, filter)) onEvent(event)
      }
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
}

function matches(event: RunEvent, { kinds, level, since, after }: EventFilter): boolean {
  return (
    (kinds === undefined || kinds.includes(event.kind)) &&
    (level === undefined || isAtLeast(event.level, level)) &&
    (since === undefined || Date.parse(event.time) >= since) &&
    (after === undefined || event.id > after)
  )
}

/** Fields as JSON would have them, so that no object of a service is kept and secrets are masked; long texts are cut off. */
function plainFields(fields: LogFields): LogFields {
  const short = Object.entries(fields).filter(([name, value]) => value !== undefined && !longFields.has(name))
  return JSON.parse(JSON.stringify(Object.fromEntries(short)), (_name, value) =>
    typeof value === 'string' && value.length > longestText ? `${value.slice(0, longestText)}…` : value,
  )
}
