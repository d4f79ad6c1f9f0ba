import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { type AcmePlan, directoryNameOf } from './acme/plan.ts'
import {
  type CertificateFiles,
  type CertificateProblem,
  chooseCertificates,
  type UsableCertificate,
} from './certificate.ts'
import { type CertificateSource, uncovered } from './choice.ts'
import { findPairs, isArchive, isKeyName } from './directory.ts'
import {
  type LocalAuthorityFacts,
  type LocalCertificateSettings,
  type LocalCertificateStore,
  localCertificate,
} from './local-ca/certificate.ts'

/** Certificate files on disk. */
export interface CertificateStore extends LocalCertificateStore {
  /** Names of the files in a directory and of its subdirectories. */
  list(directory: string): { files: string[]; directories: string[] }
  /** Writes a copy to its own subdirectory of `directory`, so that changes of the mounted files do not affect nginx. */
  keepCopy(usable: UsableCertificate, directory: string): CertificateFiles
  /** Removes all copies except those with these ids. */
  keepOnly(ids: readonly string[], directory: string): void
}

/** Settings that decide which certificates are found. */
export interface CertificateSearchSettings extends LocalCertificateSettings {
  /** Whether to fail instead of serving a certificate from the local CA (tls.required). */
  isRequired: boolean
  /** Directory of the certificates from a CA, with a subdirectory for each plan; undefined without ACME. */
  acme: { directory: string; plans: readonly AcmePlan[] } | undefined
}

const issuedPair = { chain: 'fullchain.pem', key: 'privkey.pem' }

/** Usable certificate and its source. */
export interface ServedCertificate extends UsableCertificate {
  source: CertificateSource
}

/** Certificates found in `cert_dir`. */
export interface MountedSearch {
  usable: ServedCertificate[]
  problems: CertificateProblem[]
  /** Every certificate file that has a key, usable or not: the first usable one serves clients that request no known name. */
  order: string[]
}

/** Mounted certificates in a directory and its subdirectories, and the problems of the unusable ones. */
export function findMounted(store: CertificateStore, certDir: string, now: number): MountedSearch {
  const top = tryToList(store, certDir)
  const subdirectories = 'problem' in top ? [] : top.directories
  const found = [certDir, ...subdirectories.map(name => join(certDir, name))].map(directory =>
    findInDirectory(store, directory, now),
  )
  return {
    usable: found.flatMap(({ usable }) => usable),
    problems: found.flatMap(({ problems }) => problems),
    order: found.flatMap(({ order }) => order),
  }
}

/** An unreadable directory becomes a problem, so that the others are still searched. */
function findInDirectory(store: CertificateStore, directory: string, now: number): MountedSearch {
  const listed = tryToList(store, directory)
  if ('problem' in listed) return { usable: [], problems: [listed], order: [] }
  const { pairs, unpaired } = findPairs(listed.files)
  // one file may contain certificate and key
  const combined = new Map(
    unpaired.filter(name => !isKeyName(name)).map(name => [name, store.read(directory, { chain: name, key: name })]),
  )
  const whole = [...combined.values()].filter(({ ok }) => ok)
  const readings = [...pairs.map(pair => store.read(directory, pair)), ...whole]
  const archives = listed.files.filter(isArchive).map(name => store.read(directory, { chain: name, key: name }))
  readings.push(...archives)
  const { usable, problems } = chooseCertificates(readings, now)
  const single = unpaired.filter(name => !combined.get(name)?.ok)
  const incomplete = single.map(name => {
    const isKey = isKeyName(name)
    return {
      files: { chain: join(directory, name), key: '' },
      problem: isKey
        ? `the key ${join(directory, name)} has no certificate next to it`
        : `the certificate ${join(directory, name)} has no key next to it`,
      fix: 'mount both as fullchain.pem + privkey.pem, tls.crt + tls.key, cert.pem + key.pem, or NAME.pem + NAME.key',
    }
  })
  return {
    usable: usable.map(pair => ({ source: 'mounted', ...pair })),
    problems: [...problems, ...incomplete],
    order: readings.map(({ files }) => files.chain),
  }
}

/** Certificates to serve, and the problems of those that were rejected. */
export interface ServedSearch {
  certificates: ServedCertificate[]
  problems: CertificateProblem[]
  order: string[]
  /** CA of the local certificate, if that is served. */
  localAuthority: LocalAuthorityFacts | undefined
}

/** Latest usable certificate in a directory of certificates from the CA. An unreadable directory becomes a problem. */
function findIssued(
  store: CertificateStore,
  directory: string,
  now: number,
): Pick<ServedSearch, 'certificates' | 'problems'> {
  const listed = tryToList(store, directory)
  if ('problem' in listed)
    return { certificates: [], problems: [{ ...listed, fix: 'let monohull read its state_dir' }] }
  const readings = listed.directories.map(id => store.read(join(directory, id), issuedPair))
  const { usable, problems } = chooseCertificates(readings, now, { isFutureUsable: true })
  usable.sort((a, b) => b.certificate.notBefore - a.certificate.notBefore)
  return {
    certificates: usable.slice(0, 1).map(latest => ({ source: 'acme', ...latest })),
    // an expired certificate is history, not a problem
    problems: problems.filter(({ resolvesAt }) => resolvesAt !== undefined),
  }
}

/** Certificates of the plans. Names without one also use those of earlier plans, for instance from before names shared one certificate. */
function findAllIssued(
  store: CertificateStore,
  { directory, plans }: NonNullable<CertificateSearchSettings['acme']>,
  { usable, now }: { usable: readonly ServedCertificate[]; now: number },
): Pick<ServedSearch, 'certificates' | 'problems'>[] {
  const planned = plans.map(({ name }) => directoryNameOf(name))
  const found = planned.map(name => findIssued(store, join(directory, name), now))
  const certificatesIn = (searches: typeof found) => searches.flatMap(({ certificates }) => certificates)
  const domains = plans.flatMap(plan => plan.domains)
  const lacking = (others: readonly ServedCertificate[]) =>
    uncovered(
      domains,
      others.map(({ certificate }) => certificate),
    )
  if (lacking([...usable, ...certificatesIn(found)]).length === 0) return found
  const listed = tryToList(store, directory)
  const former = 'problem' in listed ? [] : listed.directories.filter(name => !planned.includes(name))
  for (const name of former) {
    const served = [...usable, ...certificatesIn(found)]
    const earlier = findIssued(store, join(directory, name), now)
    if (lacking([...served, ...earlier.certificates]).length < lacking(served).length) found.push(earlier)
  }
  return found
}

function tryToList(
  store: CertificateStore,
  directory: string,
): ReturnType<CertificateStore['list']> | CertificateProblem {
  try {
    return store.list(directory)
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    return { files: { chain: directory, key: '' }, problem: error.message, fix: error.fix }
  }
}

/** Certificates that need no local CA: the mounted ones and those from the CA. */
export function findTrusted(
  settings: Pick<CertificateSearchSettings, 'certDir' | 'acme'>,
  { store, now }: { store: CertificateStore; now: number },
): Omit<ServedSearch, 'localAuthority'> {
  const { usable, order, ...mounted } = findMounted(store, settings.certDir, now)
  const issued = settings.acme ? findAllIssued(store, settings.acme, { usable, now }) : []
  return {
    certificates: [...usable, ...issued.flatMap(found => found.certificates)],
    problems: [...mounted.problems, ...issued.flatMap(found => found.problems)],
    order,
  }
}

/** Dependencies of the search. */
export interface ServedDeps extends Pick<Runtime, 'clock' | 'log'> {
  store: CertificateStore
  /** Whether a mounted certificate is served now; the local one must not replace it. */
  isMountedServed: boolean
  /** Whether a certificate from the CA is served now that these do not replace, so that none from the local CA is needed. */
  isIssuedNeeded(found: readonly ServedCertificate[]): boolean
}

/**
 * Certificates to serve now: the mounted ones and those from the CA, or else one from the local CA. Throws an OperatorError if there
 * is only the local one and it must not be used.
 */
export async function findServed(settings: CertificateSearchSettings, deps: ServedDeps): Promise<ServedSearch> {
  const { store, clock, log } = deps
  const { certificates, problems, order } = findTrusted(settings, { store, now: clock.now() })
  if (certificates.length > 0 || deps.isIssuedNeeded(certificates))
    return { certificates, problems, order, localAuthority: undefined }
  if (settings.isRequired || deps.isMountedServed) throw noUsableCertificate(settings, problems)
  const { authority, ...local } = await localCertificate(store, settings, {
    clock,
    log,
    rejected: problems[0]?.problem,
  })
  return { certificates: [{ source: 'local-ca', ...local }], problems, order, localAuthority: authority }
}

function noUsableCertificate(
  { certDir, isRequired }: CertificateSearchSettings,
  [first]: CertificateProblem[],
): OperatorError {
  const problem = isRequired
    ? `tls.required is set, but ${certDir} has no usable certificate`
    : `a mounted certificate is in use, but ${certDir} no longer has a usable one`
  const alternative = isRequired ? 'unset tls.required' : 'restart monohull to serve one from the local CA'
  return new OperatorError(first ? `${problem}: ${first.problem}` : problem, {
    fix: first?.fix ?? `mount fullchain.pem and privkey.pem there, or ${alternative}`,
  })
}
