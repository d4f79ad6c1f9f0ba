import { createLog, type LogLevel } from '../../../supervisor/base/log.ts'
import { createRunRecord } from '../../../supervisor/run/record.ts'

/** Record of a run, with the log that feeds it. The time is that of `clock`. */
export function runRecord({ level = 'info', log_format = 'text' }: { level?: LogLevel; log_format?: string } = {}) {
  const clock = { now: Date.parse('2026-11-30T10:00:00.000Z') }
  const now = () => clock.now
  const { record, observe } = createRunRecord({ now }, { log_format, access_log: true })
  const written: string[] = []
  const log = createLog({ format: 'text', level, now, write: line => written.push(line), observe })
  return { record, log, clock, written }
}
