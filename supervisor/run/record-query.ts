import { parseDuration } from '../base/duration.ts'
import type { LogLevel } from '../base/log.ts'
import { nearest } from '../base/nearest.ts'
import type { LogFilter } from '../logs/log-ring.ts'
import { type EventKind, eventKinds } from './event-kind.ts'
import type { EventFilter } from './events.ts'

/** Query of a request for lines or events: parameters by name. */
export type RecordQuery = Readonly<Record<string, unknown>>

/** What a query asks for, or what is wrong with it and how to fix it. */
export type ParsedQuery<Filter> =
  | { ok: true; filter: Filter; limit: number | undefined; follows: boolean }
  | { ok: false; reason: string; fix: string }

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const common = ['level', 'since', 'limit', 'after', 'follow']

class QueryError extends Error {
  readonly fix: string
  constructor(message: string, fix: string) {
    super(message)
    this.fix = fix
  }
}

/** Parses `source`, `grep` and the common parameters. `now` is in ms since the Unix epoch. */
export function parseLogQuery(query: RecordQuery, now: number): ParsedQuery<LogFilter> {
  return parse(query, ['source', 'grep', ...common], () => {
    return { ...commonFilter(query, now), sources: listOf(query, 'source'), grep: textOf(query, 'grep') }
  })
}

/** Parses `kind` and the common parameters. */
export function parseEventQuery(query: RecordQuery, now: number): ParsedQuery<EventFilter> {
  return parse(query, ['kind', ...common], () => {
    const kinds = listOf(query, 'kind')
    const unknown = kinds?.find(kind => !eventKinds.includes(kind as EventKind))
    if (unknown !== undefined)
      throw new QueryError(`kind ${unknown} does not exist`, choose('kind', unknown, eventKinds))
    return { ...commonFilter(query, now), kinds: kinds as EventKind[] | undefined }
  })
}

function parse<Filter>(query: RecordQuery, known: readonly string[], read: () => Filter): ParsedQuery<Filter> {
  try {
    const unknown = Object.keys(query).find(name => !known.includes(name))
    if (unknown !== undefined)
      throw new QueryError(`parameter ${unknown} does not exist`, choose('parameter', unknown, known))
    const follow = textOf(query, 'follow')
    return {
      ok: true,
      filter: read(),
      limit: numberOf(query, 'limit'),
      follows: follow !== undefined && follow !== 'false',
    }
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    return { ok: false, reason: error.message, fix: error.fix }
  }
}

function commonFilter(query: RecordQuery, now: number) {
  const level = textOf(query, 'level')
  if (level !== undefined && !levels.includes(level as LogLevel))
    throw new QueryError(`level ${level} does not exist`, choose('level', level, levels))
  const since = textOf(query, 'since')
  return {
    level: level as LogLevel | undefined,
    since: since === undefined ? undefined : timeOf(since, now),
    after: numberOf(query, 'after'),
  }
}

function timeOf(text: string, now: number): number {
  const ago = parseDuration(text)
  const time = ago === undefined ? Date.parse(text) : now - ago
  if (Number.isNaN(time))
    throw new QueryError(
      `since ${text} is not a time`,
      'write a duration such as 10m, or a time such as 2026-11-30T10:00:00Z',
    )
  return time
}

function numberOf(query: RecordQuery, name: string): number | undefined {
  const text = textOf(query, name)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new QueryError(`${name} ${text} is not a number`, `write ${name}=100`)
  return Number(text)
}

function listOf(query: RecordQuery, name: string): string[] | undefined {
  return textOf(query, name)
    ?.split(',')
    .filter(item => item !== '')
}

/** A parameter that is given several times is a list. */
function textOf(query: RecordQuery, name: string): string | undefined {
  const value = query[name]
  if (value === undefined) return undefined
  return Array.isArray(value) ? value.map(String).join(',') : String(value)
}

function choose(what: string, given: string, known: readonly string[]): string {
  const guess = nearest(given, known)
  return guess === undefined ? `choose a ${what} from ${known.join(', ')}` : `did you mean ${guess}?`
}
