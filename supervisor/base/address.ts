/** Whether a host is an IPv6 address: nothing else that stands for one has a colon in it. */
export function isIpv6(host: string): boolean {
  return host.includes(':')
}

/** A host, or an address, with a port: `example.com:80`, `10.0.0.2:80`, and brackets around what has colons: `[::1]:80` (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return `${isIpv6(host) ? `[${host}]` : host}:${port}`
}
