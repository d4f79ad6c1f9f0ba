import { formatAddress, isIpv6 } from '../base/address.ts'

interface UdpAddress {
  address: string
  port: number
}

/** HTTP/3 in addition to HTTP/2. */
export interface Http3 {
  /** UDP port that clients see. */
  publicPort: number
}

/** Time for which a browser may use HTTP/3 after one announcement. */
const validSeconds = 86_400

/** Lines for an HTTPS server: UDP sockets, which nginx binds itself. `reuseport` gives each nginx worker its own socket, so that a QUIC connection stays with one worker. */
export function renderQuicListen(addresses: readonly UdpAddress[], isDefault: boolean): string[] {
  return addresses.map(({ address, port }) => {
    // only one server may set options of the socket
    return `listen ${formatAddress(address, port)} quic${isDefault ? `${isIpv6(address) ? ' ipv6only=on' : ''} default_server reuseport` : ''};`
  })
}

/** Lines for the http block: they announce HTTP/3 on TLS connections, unless the app sets the header itself. */
export function renderAltSvc({ publicPort }: Http3): string[] {
  const value = `'h3=":${publicPort}"; ma=${validSeconds}'`
  return ['', '# http3', `map $https:$upstream_http_alt_svc $monohull_alt_svc { default ''; on: ${value}; }`]
}

/** Directive for rendered/headers.conf. */
export const altSvcHeader = 'add_header Alt-Svc $monohull_alt_svc always;'
