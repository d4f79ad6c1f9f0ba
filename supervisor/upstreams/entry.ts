import { formatAddress } from '../base/address.ts'
import type { UpstreamServer } from './keys.ts'
import { isName } from './names.ts'

/** One address of a server of an upstream. */
export interface UpstreamEntry {
  server: UpstreamServer
  address: string
  /** The address with the port; unique within an upstream. */
  endpoint: string
}

/** Entries for all known addresses of an upstream's servers. */
export function entriesOf(
  servers: readonly UpstreamServer[],
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
