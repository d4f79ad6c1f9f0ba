import { formatTable } from '../base/text-table.ts'
import type { CertificateFacts, CertificateFiles, CertificateProblem, UsableCertificate } from './certificate.ts'
import type { Arrangement, Candidate, CertificateSource } from './choice.ts'
import { describeTimeLeft } from './expiry.ts'
import { localRenewalAt } from './local-ca/profile.ts'
import type { LocalAuthorityStatus } from './local-ca/trust-info.ts'

/** A certificate as `monohull cert list` and `monohull status` show it. */
export interface CertificateStatus {
  names: string[]
  /** Those it is presented for; `*` for every other one. None: another takes its place. */
  servesFor: string[]
  /** on-demand: obtained at the first handshake for its name. */
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
  /** Of one that a CA issued, the local one too. */
  renewal: RenewalStatus | undefined
}

/** When a certificate is ordered next, and why then. */
export interface RenewalStatus {
  name: string
  domains: readonly string[]
  /** ISO 8601. */
  at: string
  why: string
  lastError: string | undefined
}

export interface CertificatesStatus {
  served: CertificateStatus[]
  /** What a CA is to issue, and has not yet. */
  awaited: RenewalStatus[]
  /** What is wrong with files that are not served. */
  problems: string[]
  /** When one of its certificates is served. */
  localAuthority?: LocalAuthorityStatus | undefined
}

type Served = Candidate & { files: CertificateFiles }

/** How it stands with a certificate of a CA; times in milliseconds. */
interface Issue extends Omit<RenewalStatus, 'at'> {
  nextAt: number
}

/** What a CA is asked for. */
export interface Issues {
  issues: readonly Issue[]
  onDemand: readonly { certificate: Pick<UsableCertificate, 'certificate' | 'files'>; status: Issue }[]
}

/** What is served, and what is not. */
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
  { issues, onDemand }: Issues,
  now: number,
): CertificatesStatus {
  const { fallback, named } = arrangement
  const renewals = issues.map(asRenewal)
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

function asRenewal({ nextAt, ...rest }: Issue): RenewalStatus {
  return { ...rest, at: new Date(nextAt).toISOString() }
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

/** The certificates as a table for people. */
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
    ...awaited.map(renewal => `awaited: ${renewal.name}: next attempt ${describeRenewal(renewal)}\n`),
    ...[...errors, ...awaited.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : []))].map(
      error => `last attempt failed: ${error}\n`,
    ),
    ...problems.map(problem => `not served: ${problem}\n`),
  ].join('')
}

function describeRenewal({ at, why }: RenewalStatus): string {
  return `${at.slice(0, 16).replace('T', ' ')}, ${why}`
}
