import type { Protocol } from './protocol.ts'

/** Protocol that the first bytes of a server belong to; nginx's gRPC is HTTP/2 to it. */
export type Spoken = 'http' | 'http2' | 'tls' | 'fastcgi' | 'uwsgi'

const names: Record<Spoken, string> = {
  http: 'HTTP',
  http2: 'HTTP/2 without TLS (h2c)',
  tls: 'TLS',
  fastcgi: 'FastCGI',
  uwsgi: "uWSGI's protocol",
}

const expected: Record<Protocol, Spoken> = { http: 'http', grpc: 'http2', fastcgi: 'fastcgi', uwsgi: 'uwsgi' }

/** What servers with TLS say in HTTP to a client without: Go, nginx, Apache. */
const wantsTls =
  /^HTTP\/1\.\d 400 [\s\S]*(Client sent an HTTP request to an HTTPS server|The plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server port)/

/** Protocol of a server by the first bytes that it sent after a greeting; undefined unless they can belong to no other. */
export function spokenIn(bytes: Buffer): Spoken | undefined {
  if (bytes.length < 4) return undefined
  const text = bytes.toString('latin1')
  if (/^HTTP\/1\.\d \d{3}/.test(text)) return wantsTls.test(text) ? 'tls' : 'http'
  if (isTlsRecord(bytes)) return 'tls'
  if (isHttp2Frame(bytes)) return 'http2'
  // FCGI_GET_VALUES_RESULT or FCGI_UNKNOWN_TYPE, about no request
  if (bytes[0] === 1 && (bytes[1] === 10 || bytes[1] === 11) && bytes.readUInt16BE(2) === 0) return 'fastcgi'
  if (bytes.readUInt32BE(0) === 0x64000001) return 'uwsgi'
  return undefined
}

/** Whether nginx can speak to a server of this protocol as configured. */
export function fits(protocol: Protocol, spoken: Spoken | undefined): boolean {
  return spoken === undefined || spoken === expected[protocol]
}

/** Explanation and fix for a server that does not speak what nginx speaks to it. */
export function describeSpoken(protocol: Protocol, spoken: Spoken, kind: 'app' | 'upstream'): [string, string] {
  return [`speaks ${names[spoken]}, and nginx speaks ${protocol} to it`, fixFor(protocol, spoken, kind)]
}

function fixFor(protocol: Protocol, spoken: Spoken, kind: 'app' | 'upstream'): string {
  if (spoken === 'tls') {
    if (kind === 'app') return 'let it listen without TLS: nginx terminates TLS'
    return protocol === 'fastcgi'
      ? 'name its port without TLS'
      : 'set tls of the upstream (tls: {}), or name its port without TLS'
  }
  if (spoken === 'http2') return 'set protocol: grpc if it is a gRPC server, or let it speak HTTP/1.1'
  return spoken === 'http' ? 'remove protocol, or let it speak that' : `set protocol: ${spoken}`
}

/** A handshake record or an alert (RFC 8446, 5.1). */
function isTlsRecord(bytes: Buffer): boolean {
  if (bytes.length < 5 || bytes[1] !== 3 || (bytes[2] ?? 5) > 4) return false
  const length = bytes.readUInt16BE(3)
  return bytes[0] === 0x15 ? length === 2 : bytes[0] === 0x16 && length <= 0x4100
}

/** SETTINGS or GOAWAY, with which a server of HTTP/2 begins or ends (RFC 9113, 4.1). */
function isHttp2Frame(bytes: Buffer): boolean {
  if (bytes.length < 9 || bytes.readUInt32BE(5) !== 0) return false
  const length = bytes.readUIntBE(0, 3)
  if (bytes[3] === 4) return bytes[4] === 0 && length % 6 === 0 && length <= 600
  return bytes[3] === 7 && length >= 8 && length <= 1024
}
