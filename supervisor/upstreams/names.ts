import { isIpv6 } from '../base/address.ts'
import { isNumeric } from '../base/host-name.ts'

interface NamedUpstream {
  servers: readonly { host: string }[]
  host?: string | undefined
  tls?: { name?: string | undefined } | undefined
}

/** TLS server name of an upstream: `tls.name`, `host`, or the first server's name; undefined if that is an address. */
export function tlsName({ tls, host, servers }: NamedUpstream): string | undefined {
  const [first] = servers
  return tls?.name ?? host ?? (first && isName(first.host) ? first.host : undefined)
}

/** Whether a host is a name, not an address. */
export function isName(host: string): boolean {
  return !isIpv6(host) && !isNumeric(host)
}
