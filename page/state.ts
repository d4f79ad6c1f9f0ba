import type { FeedMessage } from '../supervisor/dashboard/feed.ts'
import type { Columns } from '../supervisor/dashboard/history.ts'
import { measures } from '../supervisor/dashboard/point.ts'
import type { Sections } from '../supervisor/dashboard/sections.ts'

/** Line of the log. */
export interface LogLine {
  id: number
  time: string
  source: string
  level: string
  text: string
}

/** Event of the run. */
export interface RunEvent {
  id: number
  time: string
  kind: string
  level: string
  subject?: string
  message: string
  fields: Record<string, unknown>
}

/** What a program used between two samples: CPUs, and requests a second. */
export interface Rates {
  cpu: number | undefined
  requests: number | undefined
}

/** What the page shows. */
export interface State {
  /** Time of the last sample, in ms since the Unix epoch. */
  at: number
  sections: Sections
  seconds: Columns
  minutes: Columns
  logs: LogLine[]
  events: RunEvent[]
  rates: Record<string, Rates>
}

const secondsShown = 600
const minutesShown = 24 * 60 * 60
export const mostLogs = 1000
const mostEvents = 500

const none = (): Columns => Array.from({ length: measures.length + 1 }, () => [])

/** State after a message. The first message has all sections. */
export function applyMessage(before: State | undefined, message: FeedMessage): State {
  const former = message.isFresh ? undefined : before
  const { at } = message
  const sections = { ...former?.sections, ...message.sections } as Sections
  return {
    at,
    sections,
    seconds: append(former?.seconds ?? none(), message.seconds, at / 1000 - secondsShown),
    minutes: append(former?.minutes ?? none(), message.minutes, at / 1000 - minutesShown),
    logs: appendLines(former?.logs ?? [], message.logs as LogLine[], mostLogs),
    events: appendLines(former?.events ?? [], message.events as RunEvent[], mostEvents),
    rates: former ? ratesBetween(former, sections, at) : {},
  }
}

/** Columns with further points, without those before `from`. */
function append(columns: Columns, more: Columns, from: number): Columns {
  const last = columns[0]?.at(-1) ?? 0
  const begin = more[0]?.findIndex(time => time !== null && time > (last ?? 0)) ?? -1
  const old = columns[0]?.findIndex(time => time !== null && time >= from) ?? -1
  const first = old === -1 ? (columns[0]?.length ?? 0) : old
  return columns.map((column, index) => [
    ...column.slice(first),
    ...(begin === -1 ? [] : (more[index]?.slice(begin) ?? [])),
  ])
}

function appendLines<T extends { id: number }>(lines: T[], more: readonly T[], limit: number): T[] {
  const last = lines.at(-1)?.id ?? -1
  const added = more.filter(({ id }) => id > last)
  return added.length === 0 ? lines : [...lines, ...added].slice(-limit)
}

function ratesBetween(before: State, now: Sections, at: number): Record<string, Rates> {
  const seconds = (at - before.at) / 1000
  if (seconds <= 0) return before.rates
  const earlier = new Map(programsOf(before.sections).map(row => [`${row.name} ${row.pid}`, row]))
  return Object.fromEntries(
    programsOf(now).map(row => {
      const former = earlier.get(`${row.name} ${row.pid}`)
      const rate = (later: number | undefined, sooner: number | undefined) =>
        later === undefined || sooner === undefined ? undefined : Math.max(0, (later - sooner) / seconds)
      return [
        row.name,
        {
          cpu: rate(row.usage?.cpuSeconds, former?.usage?.cpuSeconds),
          requests: rate(row.requests?.total, former?.requests?.total),
        },
      ]
    }),
  )
}

const programsOf = ({ workers, processes }: Sections) => [...workers, ...processes]
