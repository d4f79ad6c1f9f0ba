import { stripVTControlCharacters } from 'node:util'
import type { LogLevel } from '../base/log.ts'

/** Origin of a block of lines, as far as it says something about their level. */
export type LineOrigin = 'stdout' | 'stderr' | 'nginx' | LogLevel

/** Levels by the names that loggers use. */
const levels: Record<string, LogLevel> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  information: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
  crit: 'error',
  critical: 'error',
  alert: 'error',
  emerg: 'error',
  fatal: 'error',
  panic: 'error',
}

/** nginx: `2026/11/30 21:00:00 [error] 42#42: …` */
const nginxLevel = /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d |nginx: )\[(\w+)\]/
/** `{"level":"error"`, `"severity": "WARNING"`, `level=warn`, and the numbers of pino and bunyan: `"level":50`. */
const namedLevel = /(?:"(?:level|severity|lvl|levelname)"\s*:\s*|\b(?:level|lvl|severity)=)"?(\w+)/i
/** `ERROR: …`, `[WARN] …`, `INFO:     …`, with a time in front of it. */
const leadingLevel =
  /^(?:\[?[\d:.,/TZ+ -]{5,40}\]?\s+)?(?:\[\d+\]\s+)?\[?\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRIT(?:ICAL)?|FATAL|PANIC)\b[\]: |]/i

/**
 * Level of a line. A program's line has the level that it states in a common form; otherwise stdout is `info` and stderr `error`. It is for
 * whoever reads lines by level: the log itself is not changed by it.
 */
export function levelOf(origin: LineOrigin, text: string): LogLevel {
  if (origin === 'nginx') return levels[nginxLevel.exec(text)?.[1] ?? ''] ?? 'error'
  if (origin !== 'stdout' && origin !== 'stderr') return origin
  return statedLevel(text.slice(0, 2000)) ?? (origin === 'stdout' ? 'info' : 'error')
}

function statedLevel(text: string): LogLevel | undefined {
  const [, named] = namedLevel.exec(text) ?? leadingLevel.exec(stripVTControlCharacters(text)) ?? []
  if (named === undefined) return undefined
  const number = /^\d+$/.test(named) ? Number(named) : undefined
  if (number === undefined) return levels[named.toLowerCase()]
  return number >= 50 ? 'error' : number >= 40 ? 'warn' : number >= 30 ? 'info' : number >= 10 ? 'debug' : undefined
}
