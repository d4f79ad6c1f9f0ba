import { canonicalAddress } from '../base/address.ts'
import { isNumeric } from '../base/host-name.ts'
import type { CertificateFacts } from './certificate.ts'

/** Sources of certificates in order of precedence: for the same name, the first source wins. */
const certificateSources = ['mounted', 'acme', 'local-ca'] as const
/** Source of a certificate. */
export type CertificateSource = (typeof certificateSources)[number]

/** Certificate that could be served. */
export interface Candidate {
  source: CertificateSource
  certificate: CertificateFacts
}

/** Certificates for the same names: at most one of each key type, and each client gets one that it supports. */
export interface CertificateSet<T> {
  names: string[]
  certificates: T[]
}

/** Assignment of certificates to requested names. */
export interface Arrangement<T> {
  /** For clients that request no name (SNI), or a name that no certificate covers. */
  fallback: CertificateSet<T>
  /** By requested name. */
  named: CertificateSet<T>[]
}

/** More lenient than host names elsewhere, because users mount certificates of any origin: dashes may be anywhere in a label. */
const serverName = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/

/** Names of a certificate that a client can request: host names, in lower case. */
export function askableNames({ names }: Pick<CertificateFacts, 'names'>): string[] {
  const lower = names.map(name => name.toLowerCase())
  return [...new Set(lower)].filter(name => serverName.test(name) && !isNumeric(name) && name.length <= 253)
}

/** Whether a certificate is valid for a host name or address, or contains a name with `*`, by the rules of TLS clients (RFC 9525, 6.3). */
export function covers(certificate: Pick<CertificateFacts, 'names'>, host: string): boolean {
  const address = canonicalAddress(host)
  if (address !== undefined) return certificate.names.some(name => canonicalAddress(name) === address)
  const names = askableNames(certificate)
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return names.includes(host) || (host.includes('.') && names.includes(wildcard))
}

/** Host names that none of the certificates covers. */
export function uncovered(
  hosts: readonly string[],
  certificates: readonly Pick<CertificateFacts, 'names'>[],
): string[] {
  return hosts.filter(
    host => !isNumeric(host) && !certificates.some(certificate => covers(certificate, host.toLowerCase())),
  )
}

/**
 * Assigns certificates to names. Each name gets those of the best source, and of each key type the latest. The set of the first
 * candidate is the fallback.
 */
export function arrangeCertificates<T extends Candidate>(candidates: readonly [T, ...T[]]): Arrangement<T> {
  const first = fallbackOf(candidates)
  const names = [...new Set(candidates.flatMap(({ certificate }) => askableNames(certificate)))]
  const sets: CertificateSet<T>[] = []
  for (const name of names) {
    const certificates = certificatesFor(name, candidates)
    const same = sets.find(set => isSame(set.certificates, certificates))
    if (same) same.names.push(name)
    else sets.push({ names: [name], certificates })
  }
  const [firstName = ''] = askableNames(first.certificate)
  const fallback = sets.find(set => set.names.includes(firstName)) ?? { names: [], certificates: [first] }
  return { fallback, named: sets.filter(set => set !== fallback) }
}

/**
 * Certificate for clients that request no name. These connect by address, so one that a CA issued for an address comes before others,
 * except mounted ones, whose order the user chooses.
 */
function fallbackOf<T extends Candidate>(candidates: readonly [T, ...T[]]): T {
  const [first] = candidates
  const hasAddress = ({ source, certificate }: T) =>
    source === 'acme' && certificate.names.some(name => canonicalAddress(name) !== undefined)
  return first.source === 'mounted' ? first : (candidates.find(hasAddress) ?? first)
}

function certificatesFor<T extends Candidate>(name: string, candidates: readonly T[]): T[] {
  const covering = candidates.filter(({ certificate }) => askableNames(certificate).includes(name))
  const source = certificateSources.find(wanted => covering.some(candidate => candidate.source === wanted))
  const best = new Map<string, T>()
  for (const candidate of covering.filter(covers => covers.source === source)) {
    const { keyType, notBefore } = candidate.certificate
    const present = best.get(keyType)
    if (!present || present.certificate.notBefore < notBefore) best.set(keyType, candidate)
  }
  return [...best.values()]
}

function isSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every(item => others.includes(item))
}
