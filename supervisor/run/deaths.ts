import type { LogEvent, LogFields } from '../base/log.ts'
import type { LogRing } from '../logs/log-ring.ts'

/** Record of the death of a worker, a process or nginx. */
export interface DeathRecord {
  /** Grows from death to death, from 1. */
  id: number
  /** ISO 8601. */
  time: string
  /** `app.1`, `queue.1`, `nginx` */
  name: string
  pid?: number | undefined
  /** `exit code 1`, `SIGKILL` */
  exit: string
  /** Reason that monohull knows, if the exit does not say enough. */
  reason?: string | undefined
  uptimeMs?: number | undefined
  /** What followed, such as a restart. */
  decision?: string | undefined
  /** JavaScript stack of a hang, innermost call first. */
  stack: string[]
  /** Requests that it had accepted but not responded to. */
  requests: string[]
  /** Those of them that no other worker got. */
  notRetried: string[]
  /** The last 50 lines that it printed. */
  lines: string[]
}

/** The last 100 deaths of the run. */
export interface Deaths {
  /** Takes note of what the log reports. Returns the record that it belongs to, if any. */
  observe(event: LogEvent): DeathRecord | undefined
  /** The last `limit` records, oldest first, of one worker or process if `name` is given. */
  read(name?: string, limit?: number): DeathRecord[]
  /** Undefined for one that is unknown, or too old. */
  get(id: number): DeathRecord | undefined
}

const kept = 100
const keptLines = 50

/** Field of the log with the name of what died, by message. */
const nameFields: Record<string, string> = { 'worker died': 'worker', 'process died': 'process' }
const nginxDied = 'nginx died, restarting it on the same sockets'
const moreInFlight = 'a worker had more requests in flight when it died'

/** Deaths of a run, none so far. The lines of a process are in `logs` when its death is reported. */
export function createDeaths(logs: Pick<LogRing, 'read'>): Deaths {
  const records: DeathRecord[] = []
  let id = 0

  /** Without a pid, only nginx has lines: what was never started printed none. */
  function linesOf(name: string, pid: number | undefined): string[] {
    if (pid === undefined && name !== 'nginx') return []
    const read = logs.read({ sources: [name], pid: name === 'nginx' ? undefined : pid }, keptLines)
    return read.map(({ text }) => text).filter(text => text.trim() !== '')
  }

  function record(name: string, { time, fields }: LogEvent): DeathRecord {
    const pid = typeof fields.pid === 'number' ? fields.pid : undefined
    const known = texts(fields, 'last_lines')
    const lines = linesOf(name, pid)
    const death: DeathRecord = {
      id: ++id,
      time: new Date(time).toISOString(),
      name,
      pid,
      exit: text(fields, 'exit') ?? 'unknown',
      reason: text(fields, 'reason'),
      uptimeMs: typeof fields.uptime_ms === 'number' ? fields.uptime_ms : undefined,
      decision: text(fields, 'decision'),
      stack: texts(fields, 'stack'),
      requests: texts(fields, 'in_flight'),
      notRetried: texts(fields, 'not_retried'),
      lines: lines.length > known.length ? lines : known,
    }
    records.push(death)
    if (records.length > kept) records.shift()
    return death
  }

  return {
    observe(event) {
      const { message, fields } = event
      if (message === nginxDied) return record('nginx', event)
      if (message === moreInFlight) {
        const death = records.findLast(({ name }) => name === fields.worker)
        death?.requests.push(...texts(fields, 'in_flight'))
        return death
      }
      const field = Object.hasOwn(nameFields, message) ? nameFields[message] : undefined
      return field === undefined ? undefined : record(String(fields[field]), event)
    },
    read(name, limit = kept) {
      const found = records.filter(one => name === undefined || one.name === name || one.name.startsWith(`${name}.`))
      return limit < 1 ? [] : found.slice(-limit)
    },
    get: wanted => records.find(one => one.id === wanted),
  }
}

function text(fields: LogFields, name: string): string | undefined {
  const value = fields[name]
  return value === undefined ? undefined : String(value)
}

function texts(fields: LogFields, name: string): string[] {
  const value = fields[name]
  return Array.isArray(value) ? value.map(String) : []
}
