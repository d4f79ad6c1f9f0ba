import { formatTable } from '../base/text-table.ts'
import type { CertificateFacts, CertificateFiles, CertificateProblem, UsableCertificate } from './certificate.ts'
import type { Arrangement, Candidate, CertificateSource } from './choice.ts'
import { describeTimeLeft } from './expiry.ts'
import { localRenewalAt } from './local-ca/profile.ts'
import type { LocalAuthorityStatus } from './local-ca/trust-info.ts'

/** Certificate in the output of `monohull cert list` and `monohull status`. */
export interface CertificateStatus {
  names: string[]
  /** Names that it is presented for; `*` stands for all other names. Empty if another certificate replaced it. */
  servesFor: string[]
  /** `on-demand`: obtained at the first handshake for its name. */
  source: CertificateSource | 'on-demand'
  issuer: string
  serial: string
  fingerprint: string
  keyType: CertificateFacts['keyType']
  file: string
  /** ISO 8601. */
  notBefore: string
  notAfter: string
  /** `29 days` */
  expiresIn: string
  remarks: string[]
  /** Next renewal, if a CA issued it, including the local CA. */
  renewal: RenewalStatus | undefined
}

/** Next order of a certificate, with its time and reason. */
export interface RenewalStatus {
  name: string
  domains: readonly string[]
  /** ISO 8601. Undefined: none is ordered. */
  at: string | undefined
  why: string
  lastError: string | undefined
}

/** Certificates in the output of `monohull status`. */
export interface CertificatesStatus {
  served: CertificateStatus[]
  /** Certificates that a CA has not issued yet. */
  awaited: RenewalStatus[]
  /** Problems of files that are not served. */
  problems: string[]
  /** Local CA, if a certificate from it is served. */
  localAuthority?: LocalAuthorityStatus | undefined
}

type Served = Candidate & { files: CertificateFiles }

/** Progress of a certificate that a CA issues; times in milliseconds since the Unix epoch. */
interface PlannedIssue extends Omit<RenewalStatus, 'at'> {
  nextAt: number | undefined
}

/** Certificates that a CA issues: those of the configuration, and those obtained on demand. */
export interface Issuance {
  planned: readonly PlannedIssue[]
  onDemand: readonly { certificate: Pick<UsableCertificate, 'certificate' | 'files'>; status: PlannedIssue }[]
}

/** Status of all certificates, served and awaited. */
export function describeCertificates<T extends Served>(
  {
    kept,
    arrangement,
    problems,
    localAuthority,
  }: {
    kept: readonly T[]
    arrangement: Arrangement<T>
    problems: readonly CertificateProblem[]
    localAuthority: Pick<Served, 'files' | 'certificate'> | undefined
  },
  { planned, onDemand }: Issuance,
  now: number,
): CertificatesStatus {
  const { fallback, named } = arrangement
  const renewals = planned.map(asRenewal)
  const renewalOf = ({ source, certificate }: T) =>
    source === 'acme'
      ? renewals.find(({ name }) => certificate.names.some(own => own.toLowerCase() === name))
      : undefined
  const servesFor = (item: T) => [
    ...[fallback, ...named].filter(set => set.certificates.includes(item)).flatMap(({ names }) => names),
    ...(fallback.certificates.includes(item) ? ['*'] : []),
  ]
  return {
    served: [
      ...kept.map(item => ({
        names: item.certificate.names,
        servesFor: servesFor(item),
        source: item.source,
        ...describeOne(item, now),
        renewal: item.source === 'local-ca' ? localRenewal(item) : renewalOf(item),
      })),
      ...onDemand.map(({ certificate, status }) => ({
        names: certificate.certificate.names,
        servesFor: certificate.certificate.notAfter > now ? [...status.domains] : [],
        source: 'on-demand' as const,
        ...describeOne(certificate, now),
        renewal: asRenewal(status),
      })),
    ],
    awaited: renewals.filter(renewal => !kept.some(item => renewalOf(item) === renewal)),
    problems: problems.map(({ problem }) => problem),
    localAuthority: localAuthority && {
      file: localAuthority.files.chain,
      name: localAuthority.certificate.subject.replace(/^CN=/, ''),
      fingerprint: localAuthority.certificate.fingerprint,
      notAfter: new Date(localAuthority.certificate.notAfter).toISOString(),
      names: kept.find(({ source }) => source === 'local-ca')?.certificate.names ?? [],
    },
  }
}

function localRenewal({ certificate }: Candidate): RenewalStatus {
  return {
    name: certificate.names[0] ?? '',
    domains: certificate.names,
    at: new Date(localRenewalAt(certificate)).toISOString(),
    why: 'two thirds of its lifetime',
    lastError: undefined,
  }
}

function asRenewal({ nextAt, ...rest }: PlannedIssue): RenewalStatus {
  return { ...rest, at: nextAt === undefined ? undefined : new Date(nextAt).toISOString() }
}

function describeOne({ files, certificate }: Pick<UsableCertificate, 'certificate' | 'files'>, now: number) {
  const { issuer, serial, fingerprint, keyType, notBefore, notAfter, remarks } = certificate
  return {
    issuer,
    serial,
    fingerprint,
    keyType,
    file: files.chain,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    expiresIn: describeTimeLeft(notAfter - now),
    remarks,
  }
}

/** Names that have a certificate, or why none has. */
export function describeServedNames({
  served,
  awaited,
  problems,
}: Pick<CertificatesStatus, 'awaited' | 'problems'> & { served: readonly Pick<CertificateStatus, 'names'>[] }): string {
  if (served.length > 0) return `the served ones are for ${served.flatMap(({ names }) => names).join(', ')}`
  return ['none is served', ...problems, ...awaited.map(one => `awaited: ${one.name}`)].join('; ')
}

/** Human-readable table of the certificates. */
export function formatCertificates({ served, awaited, problems }: CertificatesStatus): string {
  const rows = served.map(({ names, source, keyType, notAfter, expiresIn, renewal }) => [
    names.join(',') || '-',
    source,
    keyType,
    `${notAfter.slice(0, 10)} (${expiresIn})`,
    renewal ? describeRenewal(renewal) : '-',
  ])
  const table = formatTable([['CERTIFICATE', 'SOURCE', 'KEY', 'EXPIRES', 'NEXT RENEWAL'], ...rows])
  const errors = served.flatMap(({ renewal }) => (renewal?.lastError ? [`${renewal.name}: ${renewal.lastError}`] : []))
  return [
    table,
    ...awaited.map(renewal =>
      renewal.at === undefined
        ? `not ordered: ${renewal.name}: ${renewal.why}\n`
        : `awaited: ${renewal.name}: next attempt ${describeRenewal(renewal)}\n`,
    ),
    ...[...errors, ...awaited.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : []))].map(
      error => `last attempt failed: ${error}\n`,
    ),
    ...problems.map(problem => `not served: ${problem}\n`),
  ].join('')
}

function describeRenewal({ at, why }: RenewalStatus): string {
  return at === undefined ? why : `${at.slice(0, 16).replace('T', ' ')}, ${why}`
}
