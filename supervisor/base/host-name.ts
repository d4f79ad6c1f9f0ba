/** Host name or wildcard with labels of at most 63 characters (RFC 1035, 2.3.4). Allows `_`, which is in use, although no public CA issues for it. */
export const hostNamePattern =
  /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

const maxLength = 253

/** Whether a text is a host name or wildcard that DNS can hold. Also true for four numbers: see `isNumeric`. */
export function isHostName(text: string): boolean {
  return text.length <= maxLength && hostNamePattern.test(text)
}

/** Whether a host is four numbers: an IPv4 address, valid or mistyped. */
export function isNumeric(host: string): boolean {
  return /^(\d+\.){3}\d+$/.test(host)
}

/** Whether the wildcard `pattern` covers a host or wildcard at any depth, as in nginx. */
export function isUnderWildcard(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') && host !== pattern && host.endsWith(pattern.slice(1))
}
