import { join } from 'node:path'
import { signFolder } from '../base/adapters/directory-signature.ts'
import { systemClock } from '../base/adapters/system-clock.ts'
import { OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type AcmeKeys, acmeFolder, acmeSettingsOf } from './acme/settings.ts'
import type { CertificateFacts, CertificateFiles, CertificateProblem } from './certificate.ts'
import {
  type Arrangement,
  arrangeCertificates,
  type CertificateSet,
  type CertificateSource,
  covers,
  uncovered,
} from './choice.ts'
import { isOfInterest } from './directory.ts'
import type { LocalAuthorityFacts } from './local-ca/certificate.ts'
import { retained } from './retention.ts'
import { type CertificateSettings, findServed } from './search.ts'
import type { TlsCertificates } from './tls-certificates.ts'

/** Keys that certificates depend on. */
export interface CertificateKeys extends AcmeKeys {
  https: 'redirect' | 'on' | 'off'
  cert_dir: string
}

/** Settings that certificates depend on. */
export interface CertificatesSettings {
  config: CertificateKeys
  certificates: Omit<CertificateSettings, 'acme'>
}

/** A certificate that nginx serves, from a copy of its own. */
export interface KeptCertificate {
  source: CertificateSource
  /** Where it was read. */
  files: CertificateFiles
  /** What nginx reads. */
  copy: CertificateFiles
  certificate: CertificateFacts
}

/** What is served now, and what is wrong with what is not. */
export interface Certificates {
  kept: KeptCertificate[]
  arrangement: Arrangement<KeptCertificate>
  problems: CertificateProblem[]
  /** Of the folder with the mounted ones, from before they were read. */
  signature: string
  /** When one of its certificates is served. */
  localAuthority: LocalAuthorityFacts | undefined
}

/**
 * Chooses the certificates to serve. A broken file changes nothing for the certificate that was read from it before. An
 * OperatorError when there is none, and tls.required is set or a mounted one is served already: a local one must not
 * take its place.
 */
export async function loadCertificates(
  settings: CertificatesSettings,
  log: Log,
  served?: Certificates,
): Promise<Certificates | undefined> {
  const { config } = settings
  if (config.https === 'off') return undefined
  // node:crypto takes its time: the workers boot meanwhile
  const { certificateStore } = await import('./adapters/store.ts')
  const mounted = served?.kept.filter(({ source }) => source === 'mounted') ?? []
  const acme = acmeSettingsOf(config)
  const certificates = {
    ...settings.certificates,
    acme: acme && { folder: acmeFolder(config), plans: acme.plans },
  }
  const signature = await signFolder(config.cert_dir, isOfInterest)
  const found = await findServed(certificates, {
    store: certificateStore,
    clock: systemClock,
    log,
    isMountedServed: mounted.length > 0,
  })
  const folder = join(config.run_dir, 'certificates')
  const trusted = found.certificates.filter(({ source }) => source !== 'local-ca')
  const needed = served?.kept.filter(old => isStillNeeded(old, trusted)) ?? []
  const kept = [
    ...(needed.length > 0 ? trusted : found.certificates).map(
      (usable): KeptCertificate => ({
        source: usable.source,
        files: usable.files,
        copy: certificateStore.keepCopy(usable, folder),
        certificate: usable.certificate,
      }),
    ),
    ...retained(mounted, found.certificates, found.problems),
    ...needed,
  ]
  const place = ({ files }: KeptCertificate) => found.order.indexOf(files.chain) + 1 || kept.length + 1
  kept.sort((a, b) => place(a) - place(b))
  const [first, ...others] = kept
  if (!first) throw new Error('cannot serve HTTPS without a certificate')
  const { problems } = found
  const localAuthority = kept.some(({ source }) => source === 'local-ca') ? found.localAuthority : undefined
  return { kept, arrangement: arrangeCertificates([first, ...others]), problems, signature, localAuthority }
}

/** One of the CA whose files are gone stays, rather than a local one take its place. */
function isStillNeeded(
  { source, certificate }: KeptCertificate,
  found: readonly { certificate: CertificateFacts }[],
): boolean {
  if (source !== 'acme' || certificate.notAfter <= systemClock.now()) return false
  return !certificate.names.every(name => found.some(other => covers(other.certificate, name)))
}

/** Removes the copies that are served no more. */
export async function forgetOtherCopies(settings: CertificatesSettings, { kept }: Certificates): Promise<void> {
  const { certificateStore } = await import('./adapters/store.ts')
  const folder = join(settings.config.run_dir, 'certificates')
  certificateStore.keepOnly(
    kept.map(({ certificate }) => certificate.id),
    folder,
  )
}

/** The names in the configuration that clients ask for in vain: they get a certificate for others. Those that are awaited are none. */
export function namesWithoutCertificate(
  certificates: readonly Pick<KeptCertificate, 'certificate' | 'source'>[],
  { config, certificates: { names } }: CertificatesSettings,
): string[] {
  // the local one is for all of them
  if (config.tls.on_demand || certificates.some(({ source }) => source === 'local-ca')) return []
  const awaited = acmeSettingsOf(config)?.plans.flatMap(({ domains }) => domains) ?? []
  const hosts = names.filter(host => !awaited.includes(host))
  return uncovered(
    hosts,
    certificates.map(({ certificate }) => certificate),
  )
}

/** Tells of names without a certificate. */
export function reportNames(names: readonly string[], log: Log): void {
  if (names.length === 0) return
  log.warn('no certificate is for some names: clients get another there, and refuse it', {
    names: names.join(','),
    fix: 'mount one, name them in tls.acme.domains, or take them out of server_names and routes',
  })
}

/** The log lines about certificates that were just loaded. */
export function reportCertificates({ kept, problems }: Certificates, settings: CertificatesSettings, log: Log): void {
  reportNames(namesWithoutCertificate(kept, settings), log)
  for (const { problem, fix } of problems) log.warn('certificate not used', { problem, fix })
  for (const { source, files, certificate } of kept) {
    if (source === 'local-ca') continue
    log.info('certificate found', {
      file: files.chain,
      names: certificate.names.join(','),
      expires: new Date(certificate.notAfter).toISOString(),
    })
    for (const remark of certificate.remarks) log.warn('certificate is odd', { remark })
  }
}

/** The files as nginx is told of them. */
export function certificateModel(
  { kept, arrangement: { fallback, named } }: Certificates,
  config: CertificateKeys,
): TlsCertificates {
  const filesOf = ({ certificates }: { certificates: KeptCertificate[] }) => certificates.map(({ copy }) => copy)
  return {
    fallback: {
      names: config.tls.on_demand ? namesBesideOnDemand(fallback, kept, config) : fallback.names,
      files: filesOf(fallback),
    },
    named: named.map(set => ({ names: set.names, files: filesOf(set) })),
  }
}

/** What stays with the fallback: its own names, unless better can be had for them, and those whose certificates are awaited. */
function namesBesideOnDemand(
  { names, certificates }: CertificateSet<KeptCertificate>,
  kept: readonly KeptCertificate[],
  config: CertificateKeys,
): string[] {
  const trusted = kept.filter(({ source }) => source !== 'local-ca')
  const own = certificates.some(each => trusted.includes(each)) ? names : []
  const awaited = (acmeSettingsOf(config)?.plans ?? [])
    .flatMap(({ domains }) => domains)
    .filter(domain => !trusted.some(({ certificate }) => covers(certificate, domain)))
  return [...new Set([...own, ...awaited])]
}

/** What the files ask for now, compared with what is served. */
export type CertificateChange =
  | { kind: 'none' }
  /** Nothing else to serve, but something is wrong with the files. */
  | { kind: 'refused'; problems: string[]; fix: string }
  | { kind: 'new' }

/** Looks at the certificate files without touching what is served. */
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

export function asProblem({ message, fix }: OperatorError): CertificateProblem {
  return { files: { chain: '', key: '' }, problem: message, fix }
}
