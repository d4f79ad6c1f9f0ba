import type { CertificateFacts, CertificateFiles, CertificateProblem } from './certificate.ts'
import type { Arrangement, Candidate, CertificateSource } from './certificate-choice.ts'
import { describeTimeLeft } from './certificate-expiry.ts'
import { formatTable } from './text-table.ts'

/** A certificate as `monohull cert list` and `monohull status` show it. */
export interface CertificateStatus {
  names: string[]
  /** Those it is presented for; `*` for every other one. None: another takes its place. */
  servesFor: string[]
  source: CertificateSource
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
}

export interface CertificatesStatus {
  served: CertificateStatus[]
  /** What is wrong with files that are not served. */
  problems: string[]
}

type Served = Candidate & { files: CertificateFiles }

/** What is served, and what is not. */
export function describeCertificates<T extends Served>(
  {
    kept,
    arrangement,
    problems,
  }: { kept: readonly T[]; arrangement: Arrangement<T>; problems: readonly CertificateProblem[] },
  now: number,
): CertificatesStatus {
  const { fallback, named } = arrangement
  const servesFor = (item: T) => [
    ...[fallback, ...named].filter(set => set.certificates.includes(item)).flatMap(({ names }) => names),
    ...(fallback.certificates.includes(item) ? ['*'] : []),
  ]
  return {
    served: kept.map(item => ({
      names: item.certificate.names,
      servesFor: servesFor(item),
      source: item.source,
      issuer: item.certificate.issuer,
      serial: item.certificate.serial,
      fingerprint: item.certificate.fingerprint,
      keyType: item.certificate.keyType,
      file: item.files.chain,
      notBefore: new Date(item.certificate.notBefore).toISOString(),
      notAfter: new Date(item.certificate.notAfter).toISOString(),
      expiresIn: describeTimeLeft(item.certificate.notAfter - now),
      remarks: item.certificate.remarks,
    })),
    problems: problems.map(({ problem }) => problem),
  }
}

/** The certificates as a table for people. */
export function formatCertificates({ served, problems }: CertificatesStatus): string {
  const rows = served.map(({ names, source, keyType, notAfter, expiresIn, issuer }) => [
    names.join(',') || '-',
    source,
    keyType,
    `${notAfter.slice(0, 10)} (${expiresIn})`,
    issuer,
  ])
  const table = formatTable([['CERTIFICATE', 'SOURCE', 'KEY', 'EXPIRES', 'ISSUER'], ...rows])
  return table + problems.map(problem => `not served: ${problem}\n`).join('')
}
