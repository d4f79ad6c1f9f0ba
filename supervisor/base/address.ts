/** Whether a host is an IPv6 address. Host names and IPv4 addresses contain no colon. */
export function isIpv6(host: string): boolean {
  return host.includes(':')
}

/** Host or address with a port: `example.com:80`, `10.0.0.2:80`, `[::1]:80` (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return `${isIpv6(host) ? `[${host}]` : host}:${port}`
}
