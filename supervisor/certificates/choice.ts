import { isNumeric } from '../base/host-name.ts'
import type { CertificateFacts } from './certificate.ts'

/** Where a certificate comes from; of two for the same name the first source wins. */
const certificateSources = ['mounted', 'acme', 'local-ca'] as const
export type CertificateSource = (typeof certificateSources)[number]

export interface Candidate {
  source: CertificateSource
  certificate: CertificateFacts
}

/** Certificates for the same names: at most one of each key type, of which the client takes what it can. */
export interface CertificateSet<T> {
  names: string[]
  certificates: T[]
}

export interface Arrangement<T> {
  /** For clients that name no host, or one that no certificate is for. */
  fallback: CertificateSet<T>
  /** By the name that the client asks for (SNI). */
  named: CertificateSet<T>[]
}

/** Others chose the names of mounted certificates: dashes may stand anywhere. */
const serverName = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/

/** The names of a certificate that a client can ask for: host names, in lower case. */
export function askableNames({ names }: Pick<CertificateFacts, 'names'>): string[] {
  const lower = names.map(name => name.toLowerCase())
  return [...new Set(lower)].filter(name => serverName.test(name) && !isNumeric(name) && name.length <= 253)
}

/** Whether a certificate is for a host name, or for a name with `*`, as TLS clients see it (RFC 9525, 6.3). */
export function covers(certificate: Pick<CertificateFacts, 'names'>, host: string): boolean {
  const names = askableNames(certificate)
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return names.includes(host) || (host.includes('.') && names.includes(wildcard))
}

/** Of these host names, those that none of the certificates is for. */
export function uncovered(
  hosts: readonly string[],
  certificates: readonly Pick<CertificateFacts, 'names'>[],
): string[] {
  return hosts.filter(
    host => !isNumeric(host) && !certificates.some(certificate => covers(certificate, host.toLowerCase())),
  )
}

/**
 * Which certificates serve which name. The first candidate's are for everybody else. For each name: the best source, and
 * of each key type the latest.
 */
export function arrangeCertificates<T extends Candidate>(candidates: readonly [T, ...T[]]): Arrangement<T> {
  const [first] = candidates
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
