import { Resolver as Dns, lookup } from 'node:dns/promises'
import type { Resolver } from '../name-lookups.ts'

/** Names by the system's resolver, as other programs see them (/etc/hosts, search domains); how long they hold by DNS. */
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
        return undefined // in no DNS, or under another name
      }
    },
  }
}
