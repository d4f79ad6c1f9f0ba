import { isHostName } from '../../base/host-name.ts'
import type { CertificateFacts } from '../certificate.ts'
import type { Scope } from '../x509.ts'

const dayMs = 86_400_000

/** Lifetime of a certificate from the local CA, in ms. Chromium accepts at most 398 days. */
export const localLifetimeMs = 90 * dayMs
/** Lifetime of the local CA, in ms. */
export const localAuthorityLifetimeMs = 3650 * dayMs
/** Time by which validity begins earlier, in ms, for clients whose clock is behind. */
export const localBackdateMs = 3_600_000
/**
 * Beginning of the validity of every local CA, unless the clock is before it; milliseconds since the Unix epoch. It is long past, so
 * that a CA created while the clock was ahead is valid once the clock is right, and one in use stays valid if the clock goes back.
 */
export const localAuthorityStart = Date.UTC(2020, 0, 1)

/** Remaining part of the lifetime at which the certificate is reissued. */
const renewalPart = 1 / 3
const ipv4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
const loopback = [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)]

/** Names for a local certificate, without duplicates: `localhost`, the host name and the configured names. */
export function localNames(hostname: string, configured: readonly string[]): string[] {
  const names = ['localhost', hostname, ...configured].map(name => name.toLowerCase())
  return [...new Set(names)].filter(isHostName)
}

/** Names of a local certificate, with the loopback addresses. */
export function serverScope(names: readonly string[]): Scope {
  return {
    hosts: names.filter(name => !ipv4.test(name)),
    addresses: [
      ...loopback,
      ...names.filter(name => ipv4.test(name)).map(name => Uint8Array.from(name.split('.'), Number)),
    ],
  }
}

/** Scope of a CA for these names: only they and names below them, so that a stolen key is useless for any others. */
export function authorityScope(names: readonly string[]): Scope {
  const { hosts, addresses } = serverScope(names)
  const bases = [...new Set(hosts.map(host => host.replace(/^\*\./, '')))]
  const isBelowAnother = (host: string) => bases.some(other => host.endsWith(`.${other}`))
  return { hosts: bases.filter(host => !isBelowAnother(host)), addresses }
}

/** Time to reissue a local certificate; milliseconds since the Unix epoch. */
export function localRenewalAt({ notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): number {
  return notAfter - (notAfter - notBefore) * renewalPart
}

/** Whether a stored certificate from the local CA can still be served: it covers all names, and more than a third of its lifetime is left. */
export function isLocalUsable(certificate: CertificateFacts, names: readonly string[], now: number): boolean {
  const { keyMatches, notBefore } = certificate
  const isInTime = notBefore <= now && now < localRenewalAt(certificate)
  return keyMatches && isInTime && names.every(name => certificate.names.includes(name))
}

/**
 * Whether the local CA can sign a certificate for its whole lifetime. A CA that is not valid yet is usable: it exists, so the clock
 * is behind or was ahead, and somebody may trust it.
 */
export function isAuthorityUsable({ keyMatches, notAfter }: CertificateFacts, now: number): boolean {
  return keyMatches && notAfter - now > localLifetimeMs
}

/** Time by which to judge the certificates of a local CA: the clock, unless it is before the CA was created. */
export function localTime(authority: Pick<CertificateFacts, 'notBefore'>, now: number): number {
  return Math.max(now, authority.notBefore)
}
