import { validText } from '../base/valid-text.ts'

/** Name of the file for nginx's error lines, in nginx's directory. */
export const errorLogName = 'errors.log'
/** Name of the file for access lines in JSON with bytes that need not be UTF-8. */
export const bytesLogName = 'access-bytes.log'

/** Name of the file for access lines that must not wait for a reader of stdout. */
export const accessLinesName = 'access-lines.log'

/** Name of the file for access lines that go to a syslog server. */
export const accessSyslogName = 'access-syslog.log'

/** Access lines in JSON, with each byte that is not UTF-8 escaped: `\\xFF`. */
export function escapeBytes(lines: Buffer): string {
  return validText(lines, '\\\\x')
}
