import { isIpv6 } from '../base/address.ts'
import { isNumeric } from '../base/host-name.ts'

interface NamedUpstream {
  servers: readonly { host: string }[]
  host?: string | undefined
  tls?: { name?: string | undefined } | undefined
}

/** The name that the servers of an upstream are known by in TLS; undefined when there are only addresses. */
export function tlsName({ tls, host, servers }: NamedUpstream): string | undefined {
  const [first] = servers
  return tls?.name ?? host ?? (first && isName(first.host) ? first.host : undefined)
}

/** Whether a host is a name to look up, and not an address. */
export function isName(host: string): boolean {
  return !isIpv6(host) && !isNumeric(host)
}
