import { getDomain } from 'tldts'

/** The domain that a CA counts a name under, by https://publicsuffix.org: of `a.shop.co.uk` it is `shop.co.uk`. A public suffix is one itself. */
export function registeredDomain(name: string): string {
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}
