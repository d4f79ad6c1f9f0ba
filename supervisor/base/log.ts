export type LogFormat = 'text' | 'json' | 'short'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Record<string, unknown>

/** One event, one line: a constant message, and what varies in fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export interface LogOptions {
  format: LogFormat
  level: LogLevel
  now: () => number
  /** Receives whole lines, newline included. */
  write: (line: string) => void
}

export function createLog(options: LogOptions): Log {
  const emit =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (rank[level] < rank[options.level]) return
      options.write(`${render(options, { level, message, fields })}\n`)
    }
  return { debug: emit('debug'), info: emit('info'), warn: emit('warn'), error: emit('error') }
}

interface Event {
  level: LogLevel
  message: string
  fields: LogFields
}

function render({ format, now }: LogOptions, { level, message, fields }: Event): string {
  const time = new Date(now()).toISOString()
  if (format === 'json') return JSON.stringify({ time, source: 'monohull', level, message, ...fields })
  if (format === 'text') return `${time} monohull ${level} ${message}${formatFields(fields, message.includes('\n'))}`
  // whoever reads along has just seen what a worker printed last
  const { last_lines: _, ...rest } = fields
  const mark = level === 'warn' || level === 'error' ? `${level}: ` : ''
  return `${timeOfDay(now())} monohull | ${mark}${message}${formatFields(rest, message.includes('\n'))}`
}

/** `13:05:59`, in the zone of this machine. */
export function timeOfDay(now: number): string {
  return new Date(now).toTimeString().slice(0, 8)
}

/** Text fields as `key=value`; a value of several lines goes below, indented, so that a person can read it, and so do all after a message of several lines. */
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
