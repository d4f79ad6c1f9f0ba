import { join } from 'node:path'
import { signDirectory } from '../base/adapters/directory-signature.ts'
import { systemClock } from '../base/adapters/system-clock.ts'
import { canonicalAddress } from '../base/address.ts'
import { OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type AcmeKeys, acmeCertificatesDir, acmeSettingsOf } from './acme/settings.ts'
import type { CertificateFacts, CertificateFiles, CertificateProblem } from './certificate.ts'
import {
  type Arrangement,
  arrangeCertificates,
  type CertificateSet,
  type CertificateSource,
  covers,
  uncovered,
} from './choice.ts'
import { warnOfClockBehind } from './clock-warning.ts'
import { isOfInterest } from './directory.ts'
import type { LocalAuthorityFacts } from './local-ca/certificate.ts'
import { retained } from './retention.ts'
import { type CertificateSearchSettings, findServed } from './search.ts'
import type { TlsCertificates } from './tls-certificates.ts'

/** Keys that certificates depend on. */
export interface CertificateKeys extends AcmeKeys {
  https: 'redirect' | 'on' | 'off'
  cert_dir: string
}

/** Settings that certificates depend on. */
export interface CertificatesSettings {
  config: CertificateKeys
  certificates: Omit<CertificateSearchSettings, 'acme'>
}

/** Certificate that nginx serves from a private copy. */
export interface KeptCertificate {
  source: CertificateSource
  /** Files that it was read from. */
  files: CertificateFiles
  /** Copy that nginx reads. */
  copy: CertificateFiles
  certificate: CertificateFacts
}

/** Certificates that are served, and the problems of those that are not. */
export interface Certificates {
  kept: KeptCertificate[]
  arrangement: Arrangement<KeptCertificate>
  problems: CertificateProblem[]
  /** Signature of `cert_dir`, taken before the files were read. */
  signature: string
  /** Local CA, if a certificate from it is served. */
  localAuthority: LocalAuthorityFacts | undefined
}

/**
 * Loads the certificates to serve; undefined without HTTPS. A certificate whose file is now broken stays in use. Throws an
 * OperatorError if there is no usable certificate and the local one must not be used: tls.required is set, or a mounted
 * certificate is already served.
 */
export async function loadCertificates(
  settings: CertificatesSettings,
  log: Log,
  served?: Certificates,
): Promise<Certificates | undefined> {
  const { config } = settings
  if (config.https === 'off') return undefined
  // node:crypto loads slowly, and workers boot meanwhile
  const { certificateStore } = await import('./adapters/store.ts')
  const mounted = served?.kept.filter(({ source }) => source === 'mounted') ?? []
  const certificates = searchSettings(settings)
  const signature = await signDirectory(config.cert_dir, isOfInterest)
  const found = await findServed(certificates, {
    store: certificateStore,
    clock: systemClock,
    log,
    isMountedServed: mounted.length > 0,
    isIssuedNeeded: usable => served?.kept.some(old => isStillNeeded(old, usable)) ?? false,
  })
  const directory = join(config.run_dir, 'certificates')
  const trusted = found.certificates.filter(({ source }) => source !== 'local-ca')
  const needed = served?.kept.filter(old => isStillNeeded(old, trusted)) ?? []
  const kept = [
    ...(needed.length > 0 ? trusted : found.certificates).map(
      (usable): KeptCertificate => ({
        source: usable.source,
        files: usable.files,
        copy: certificateStore.keepCopy(usable, directory),
        certificate: usable.certificate,
      }),
    ),
    ...retained(mounted, found.certificates, found.problems),
    ...needed,
  ]
  const rank = ({ files }: KeptCertificate) => found.order.indexOf(files.chain) + 1 || kept.length + 1
  kept.sort((a, b) => rank(a) - rank(b))
  const [first, ...others] = kept
  if (!first) throw new Error('cannot serve HTTPS without a certificate')
  const { problems } = found
  const localAuthority = kept.some(({ source }) => source === 'local-ca') ? found.localAuthority : undefined
  return { kept, arrangement: arrangeCertificates([first, ...others]), problems, signature, localAuthority }
}

/**
 * Whether to keep a certificate from the CA whose files are gone, or that has expired by the clock: its names would otherwise get the
 * local certificate, which no public client trusts. The clock may be ahead.
 */
function isStillNeeded(
  { source, certificate }: KeptCertificate,
  found: readonly { certificate: CertificateFacts }[],
): boolean {
  return source === 'acme' && !certificate.names.every(name => found.some(other => covers(other.certificate, name)))
}

/** Settings of the search for certificates, with the plans of tls.acme. */
export function searchSettings({ config, certificates }: CertificatesSettings): CertificateSearchSettings {
  const acme = acmeSettingsOf(config)
  return { ...certificates, acme: acme && { directory: acmeCertificatesDir(config), plans: acme.plans } }
}

/** Removes the copies of certificates that are no longer served. */
export async function removeOtherCopies(settings: CertificatesSettings, { kept }: Certificates): Promise<void> {
  const { certificateStore } = await import('./adapters/store.ts')
  const directory = join(settings.config.run_dir, 'certificates')
  certificateStore.keepOnly(
    kept.map(({ certificate }) => certificate.id),
    directory,
  )
}

/** Configured names that no certificate covers and none is being obtained for: clients get a certificate for another name. */
export function namesWithoutCertificate(
  certificates: readonly Pick<KeptCertificate, 'certificate' | 'source'>[],
  { config, certificates: { names } }: CertificatesSettings,
): string[] {
  // the local certificate covers all names
  if (config.tls.on_demand || certificates.some(({ source }) => source === 'local-ca')) return []
  const planned = acmeSettingsOf(config)?.plans.flatMap(({ domains }) => domains) ?? []
  const hosts = names.filter(host => !planned.includes(host))
  return uncovered(
    hosts,
    certificates.map(({ certificate }) => certificate),
  )
}

/** Warns about names without a certificate. */
export function reportUncoveredNames(names: readonly string[], log: Log): void {
  if (names.length === 0) return
  log.warn('no certificate covers some names: clients get another certificate and reject it', {
    names: names.join(','),
    fix: 'mount one, add the names to tls.acme.domains, or remove them from server_names and routes',
  })
}

/** Logs the certificates that were just loaded, and their problems. */
export function reportCertificates({ kept, problems }: Certificates, settings: CertificatesSettings, log: Log): void {
  const issued = kept.filter(({ source }) => source === 'acme')
  for (const { files, certificate } of issued)
    warnOfClockBehind(log, { now: systemClock.now(), passed: certificate.notBefore, evidence: files.chain })
  reportUncoveredNames(namesWithoutCertificate(kept, settings), log)
  for (const { problem, fix } of problems) log.warn('certificate rejected', { problem, fix })
  for (const { source, files, certificate } of kept) {
    if (source === 'local-ca') continue
    log.info('certificate found', {
      file: files.chain,
      names: certificate.names.join(','),
      expires: new Date(certificate.notAfter).toISOString(),
    })
    for (const remark of certificate.remarks) log.warn('certificate warning', { remark })
  }
}

/** Certificate files for nginx's configuration. */
export function certificateModel(
  { kept, arrangement: { fallback, named } }: Certificates,
  config: CertificateKeys,
): TlsCertificates {
  const filesOf = ({ certificates }: { certificates: KeptCertificate[] }) => certificates.map(({ copy }) => copy)
  return {
    fallback: {
      names: config.tls.on_demand ? fallbackNames(fallback, kept, config) : fallback.names,
      files: filesOf(fallback),
    },
    named: named.map(set => ({ names: set.names, files: filesOf(set) })),
  }
}

/** Names that the fallback serves with tls.on_demand: its own, unless it is the local certificate, and configured names that no certificate covers yet. */
function fallbackNames(
  { names, certificates }: CertificateSet<KeptCertificate>,
  kept: readonly KeptCertificate[],
  config: CertificateKeys,
): string[] {
  const trusted = kept.filter(({ source }) => source !== 'local-ca')
  const own = certificates.some(each => trusted.includes(each)) ? names : []
  const uncoveredPlans = (acmeSettingsOf(config)?.plans ?? [])
    .flatMap(({ domains }) => domains)
    .filter(domain => canonicalAddress(domain) === undefined)
    .filter(domain => !trusted.some(({ certificate }) => covers(certificate, domain)))
  return [...new Set([...own, ...uncoveredPlans])]
}

/** Difference between the certificate files and what is served. */
export type CertificateChange =
  | { kind: 'none' }
  /** The same certificates, but the files have new problems. */
  | { kind: 'refused'; problems: string[]; fix: string }
  | { kind: 'new' }

/** Compares the certificate files with what is served, and updates the list of problems. */
export async function findCertificateChange(
  settings: CertificatesSettings,
  log: Log,
  certificates: Certificates,
): Promise<CertificateChange> {
  try {
    const next = await loadCertificates(settings, log, certificates)
    if (!next || listIds(next) !== listIds(certificates)) return { kind: 'new' }
    const known = certificates.problems.map(({ problem }) => problem)
    const fresh = next.problems.filter(({ problem }) => !known.includes(problem))
    certificates.problems = next.problems
    return fresh.length === 0
      ? { kind: 'none' }
      : { kind: 'refused', problems: fresh.map(({ problem }) => problem), fix: fresh[0]?.fix ?? '' }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    certificates.problems = [asProblem(error)]
    return { kind: 'refused', problems: [error.message], fix: error.fix }
  }
}

function listIds({ kept }: Certificates): string {
  return kept.map(({ certificate }) => certificate.id).join()
}

/** Problem of no particular file. */
export function asProblem({ message, fix }: OperatorError): CertificateProblem {
  return { files: { chain: '', key: '' }, problem: message, fix }
}
