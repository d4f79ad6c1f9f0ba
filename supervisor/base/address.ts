/** Whether a host is an IPv6 address. Host names and IPv4 addresses contain no colon. */
export function isIpv6(host: string): boolean {
  return host.includes(':')
}

/** Host or address with a port: `example.com:80`, `10.0.0.2:80`, `[::1]:80` (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return `${isIpv6(host) ? `[${host}]` : host}:${port}`
}

const ipv4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/

/** Canonical form of an IP address: `192.0.2.1`, `2001:db8::1`. Undefined if the text is none. */
export function canonicalAddress(text: string): string | undefined {
  if (ipv4.test(text)) return text
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !isIpv6(text) || !URL.canParse(`http://[${text}]/`)) return undefined
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

/** Bytes of an IP address in canonical form. */
export function addressBytes(address: string): Uint8Array {
  if (!isIpv6(address)) return Uint8Array.from(address.split('.'), Number)
  const [head = '', tail] = address.split('::')
  const groupsOf = (text: string | undefined) => (text ? text.split(':') : [])
  const [first, last] = [groupsOf(head), groupsOf(tail)]
  const zeros = tail === undefined ? [] : Array<string>(8 - first.length - last.length).fill('0')
  const groups = [...first, ...zeros, ...last].map(group => Number.parseInt(group, 16))
  return Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff]))
}
