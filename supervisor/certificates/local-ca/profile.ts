import { isHostName } from '../../base/host-name.ts'
import type { CertificateFacts } from '../certificate.ts'
import type { Scope } from '../x509.ts'

const dayMs = 86_400_000

/** Milliseconds that a certificate of the local CA is valid for. Chromium takes up to 398 days. */
export const localLifetimeMs = 90 * dayMs
export const localAuthorityLifetimeMs = 3650 * dayMs
/** Clocks of clients may be behind by so much. */
export const localBackdateMs = 3_600_000

/** Part of the lifetime that is left when it is made anew. */
const renewalPart = 1 / 3
const ipv4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
const loopback = [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)]

/** Names that a local certificate is made for, without doubles: this machine, its host name and the configured names. */
export function localNames(hostname: string, configured: readonly string[]): string[] {
  const names = ['localhost', hostname, ...configured].map(name => name.toLowerCase())
  return [...new Set(names)].filter(isHostName)
}

/** The names as the certificate has them, with the addresses of loopback. */
export function serverScope(names: readonly string[]): Scope {
  return {
    hosts: names.filter(name => !ipv4.test(name)),
    addresses: [
      ...loopback,
      ...names.filter(name => ipv4.test(name)).map(name => Uint8Array.from(name.split('.'), Number)),
    ],
  }
}

/** What a CA for these names may sign for: they themselves and what is below them, so that a stolen key is of use for nothing else. */
export function authorityScope(names: readonly string[]): Scope {
  const { hosts, addresses } = serverScope(names)
  const bases = [...new Set(hosts.map(host => host.replace(/^\*\./, '')))]
  const isBelowAnother = (host: string) => bases.some(other => host.endsWith(`.${other}`))
  return { hosts: bases.filter(host => !isBelowAnother(host)), addresses }
}

/** When a local certificate is to be made anew. */
export function localRenewalAt({ notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): number {
  return notAfter - (notAfter - notBefore) * renewalPart
}

/** Whether a kept certificate of the local CA still serves: all names in it, and more than a third of its time left. */
export function isLocalUsable(certificate: CertificateFacts, names: readonly string[], now: number): boolean {
  const { keyMatches, notBefore } = certificate
  const isInTime = notBefore <= now && now < localRenewalAt(certificate)
  return keyMatches && isInTime && names.every(name => certificate.names.includes(name))
}

/** Whether the local CA can sign a certificate now. */
export function isAuthorityUsable({ keyMatches, notBefore, notAfter }: CertificateFacts, now: number): boolean {
  return keyMatches && notBefore <= now && notAfter - now > localLifetimeMs
}
