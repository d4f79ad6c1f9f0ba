/** Format of log lines: `text` for people, `json` for programs, `short` for a terminal. */
export type LogFormat = 'text' | 'json' | 'short'
/** The same for monohull's and nginx's lines; programs write theirs to monohull's own output. */
export const rawFormat = 'raw'

/** Format of monohull's and nginx's lines. */
export function lineFormat(format: LogFormat | typeof rawFormat): LogFormat {
  return format === rawFormat ? 'text' : format
}

/** Severity of a log line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
/** Variable parts of a log line, by name. */
export type LogFields = Record<string, unknown>

/** Log with one line per event: a constant message, with the variable parts in fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Whether a level is at least `lowest`. */
export function isAtLeast(level: LogLevel, lowest: LogLevel): boolean {
  return rank[level] >= rank[lowest]
}

/** Options of `createLog`. */
export interface LogOptions {
  format: LogFormat
  level: LogLevel
  now: () => number
  /** Receives complete lines with their newline. */
  write: (line: string) => void
  /** Receives every event, whatever its level. */
  observe?: (event: LogEvent) => void
}

/** Event of a log. `time` is in ms since the Unix epoch. */
export interface LogEvent {
  time: number
  level: LogLevel
  message: string
  fields: LogFields
  /** Whether its level is one that is written. */
  isWritten: boolean
}

/** Log that drops events below `level` and writes the others in `format`. */
export function createLog(options: LogOptions): Log {
  const emit =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const isWritten = isAtLeast(level, options.level)
      const event = { time: options.now(), level, message, fields, isWritten }
      if (isWritten) options.write(`${render(options.format, event)}\n`)
      options.observe?.(event)
    }
  return { debug: emit('debug'), info: emit('info'), warn: emit('warn'), error: emit('error') }
}

function render(format: LogFormat, event: LogEvent): string {
  const { level, message, fields } = event
  const time = new Date(event.time).toISOString()
  if (format === 'json') return JSON.stringify({ time, source: 'monohull', level, message, ...fields })
  if (format === 'text') return `${time} monohull ${level} ${formatEvent(message, fields)}`
  // the reader of a terminal has just seen the last lines of the worker
  const { last_lines: _, ...rest } = fields
  const mark = level === 'warn' || level === 'error' ? `${level}: ` : ''
  return `${timeOfDay(event.time)} monohull | ${mark}${formatEvent(message, rest)}`
}

/** Message with its fields, as in a line of the format `text`. */
export function formatEvent(message: string, fields: LogFields): string {
  return `${message}${formatFields(fields, message.includes('\n'))}`
}

/** Local time of day: `13:05:59`. */
export function timeOfDay(now: number): string {
  return new Date(now).toTimeString().slice(0, 8)
}

/** Fields as `key=value`. Values with several lines, and all fields of a message with several lines, go below it, indented. */
function formatFields(fields: LogFields, isBelow: boolean): string {
  let inline = ''
  let below = ''
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const lines =
      Array.isArray(value) && value.every(item => typeof item === 'string') ? value : String(value).split('\n')
    if (typeof value !== 'object' && lines.length === 1 && !isBelow) inline += ` ${key}=${quote(String(value))}`
    else if (Array.isArray(value) || typeof value !== 'object')
      below += lines.map(line => `\n    ${key}: ${line}`).join('')
    else inline += ` ${key}=${JSON.stringify(value)}`
  }
  return inline + below
}

function quote(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
