import { getDomain } from 'tldts'

/** Domain that CAs count a name under, by https://publicsuffix.org: `shop.co.uk` for `a.shop.co.uk`. A public suffix is its own domain. */
export function registeredDomain(name: string): string {
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}
