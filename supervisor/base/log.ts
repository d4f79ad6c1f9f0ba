export type LogFormat = 'text' | 'json'
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
      const time = new Date(options.now()).toISOString()
      options.write(
        options.format === 'json'
          ? `${JSON.stringify({ time, source: 'monohull', level, message, ...fields })}\n`
          : `${time} monohull ${level} ${message}${formatFields(fields, message.includes('\n'))}\n`,
      )
    }
  return { debug: emit('debug'), info: emit('info'), warn: emit('warn'), error: emit('error') }
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
