import { Resolver as Dns, lookup } from 'node:dns/promises'
import type { Resolver } from '../name-lookups.ts'

/** Resolver of addresses by the system (getaddrinfo: /etc/hosts, search domains), as other programs do, and of TTLs by DNS. */
export function createResolver(): Resolver {
  const dns = new Dns({ timeout: 1000, tries: 1 })
  return {
    async addressesOf(name) {
      const found = await lookup(name, { all: true, order: 'ipv4first' })
      return [...new Set(found.map(({ address }) => address))]
    },
    async ttlOf(name) {
      try {
        const records = await dns.resolve4(name, { ttl: true })
        return Math.min(...records.map(({ ttl }) => ttl)) * 1000
      } catch {
        return undefined // not in DNS, or only with a search domain
      }
    },
  }
}
