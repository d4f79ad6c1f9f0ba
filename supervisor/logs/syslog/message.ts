import type { LogLevel } from '../../base/log.ts'
import type { LogLine } from '../log-ring.ts'

/** `daemon` */
const facility = 3
const severities: Record<LogLevel, number> = { debug: 7, info: 6, warn: 4, error: 3 }
/** What rsyslog accepts by default, and a datagram holds. */
const maxBytes = 8192

/** Line as a message of RFC 5424, in at most 8 KB, without the mark for UTF-8: receivers keep it in the text, and JSON with it is none. */
export function syslogMessage({ level, time, source, pid, text }: Omit<LogLine, 'id'>, hostname: string): Buffer {
  const head = `<${facility * 8 + severities[level]}>1 ${time} ${ascii(hostname, 255)} ${ascii(source, 48)} ${pid ?? '-'} - - `
  const bytes = Buffer.from(`${head}${text}`)
  if (bytes.length <= maxBytes) return bytes
  let end = maxBytes
  // not in the middle of a character
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

/** Part of the head: printable ASCII, or `-`. */
function ascii(text: string, length: number): string {
  return text.replace(/[^!-~]/g, '_').slice(0, length) || '-'
}

/** Message with its length, for a stream (RFC 6587). */
export function counted(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

/** Address of a syslog server: a unix socket, or a host with its port, by TCP or by TLS (RFC 5425). */
export type SyslogAddress = { path: string } | { host: string; port: number; isTls: boolean }

const tlsPort = 6514

/** Address in `unix:/dev/log`, `tcp://10.0.0.1:601` or `tls://logs.example.com`. */
export function syslogAddress(text: string): SyslogAddress {
  if (text.startsWith('unix:')) return { path: text.slice('unix:'.length) }
  const [, host = '', port = tlsPort] = /^\w+:\/\/(.+?)(?::(\d+))?$/.exec(text) ?? []
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), isTls: text.startsWith('tls:') }
}
