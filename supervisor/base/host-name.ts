/** A host name, or a wildcard, of labels with up to 63 characters (RFC 1035, 2.3.4); `_` is in use, though no public CA issues for it. */
export const hostNamePattern =
  /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

const longestName = 253

/** Whether a text is a host name, or a wildcard, that DNS can hold. Numbers alone make one too: see `isNumeric`. */
export function isHostName(text: string): boolean {
  return text.length <= longestName && hostNamePattern.test(text)
}

/** Whether a host is four numbers: an IPv4 address, or one that is mistyped. */
export function isNumeric(host: string): boolean {
  return /^(\d+\.){3}\d+$/.test(host)
}

/** Whether a host, or a wildcard, falls under another one that is a wildcard: nginx takes any depth. */
export function isUnderWildcard(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') && host !== pattern && host.endsWith(pattern.slice(1))
}
