import { formatAddress, isIpv6 } from '../base/address.ts'

interface UdpAddress {
  address: string
  port: number
}

/** HTTP/3 beside HTTP/2. */
export interface Http3 {
  /** UDP port that clients see. */
  publicPort: number
}

/** How long a browser may go on using HTTP/3 here without being told again. */
const validSeconds = 86_400

/** For an HTTPS server: UDP, which nginx binds itself. `reuseport` gives each of its workers a socket, and a QUIC connection keeps to one. */
export function renderQuicListen(addresses: readonly UdpAddress[], isDefault: boolean): string[] {
  return addresses.map(({ address, port }) => {
    // what belongs to the socket is said once
    return `listen ${formatAddress(address, port)} quic${isDefault ? `${isIpv6(address) ? ' ipv6only=on' : ''} default_server reuseport` : ''};`
  })
}

/** For the http block: tells browsers that came over TLS of HTTP/3, unless the app says something else. */
export function renderAltSvc({ publicPort }: Http3): string[] {
  const value = `'h3=":${publicPort}"; ma=${validSeconds}'`
  return ['', '# http3', `map $https:$upstream_http_alt_svc $monohull_alt_svc { default ''; on: ${value}; }`]
}

/** For rendered/headers.conf. */
export const altSvcHeader = 'add_header Alt-Svc $monohull_alt_svc always;'
