import { isIpv6 } from '../base/address.ts'
import { acmeSettingsOf } from '../certificates/acme/settings.ts'
import type { Config } from './schema.ts'

/** Host names in the configuration, in lower case, including wildcards. */
export function knownHosts(config: Config): string[] {
  const { server_names, routes } = config
  const ordered =
    acmeSettingsOf(config)
      ?.plans.flatMap(({ domains }) => domains)
      .map(asHost) ?? []
  return [
    ...new Set([
      ...server_names.map(name => name.toLowerCase()),
      ...routes.flatMap(({ host }) => host ?? []),
      ...ordered,
    ]),
  ]
}

/** Name in a Host header. */
function asHost(domain: string): string {
  return isIpv6(domain) ? `[${domain}]` : domain
}
