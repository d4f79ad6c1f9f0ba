import { formatAddress } from '../base/address.ts'
import type { ExternalServer } from './keys.ts'
import { isName } from './names.ts'

/** A server of an upstream at one of its addresses. */
export interface UpstreamEntry {
  server: ExternalServer
  address: string
  /** The address with the port; tells the entries of an upstream apart. */
  endpoint: string
}

/** The servers of an upstream at every address that is known of them. */
export function entriesOf(
  servers: readonly ExternalServer[],
  addressesOf: (name: string) => readonly string[],
): UpstreamEntry[] {
  return servers.flatMap(server =>
    (isName(server.host) ? addressesOf(server.host) : [server.host]).map(address => ({
      server,
      address,
      endpoint: formatAddress(address, server.port),
    })),
  )
}
