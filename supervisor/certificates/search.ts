import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { type AcmePlan, folderOf } from './acme/plan.ts'
import {
  type CertificateFiles,
  type CertificateProblem,
  chooseCertificates,
  type UsableCertificate,
} from './certificate.ts'
import { type CertificateSource, uncovered } from './choice.ts'
import { findPairs } from './directory.ts'
import {
  type LocalAuthorityFacts,
  type LocalCertificateSettings,
  type LocalCertificateStore,
  localCertificate,
} from './local-ca/certificate.ts'

/** Certificate files, as the services need them. */
export interface CertificateStore extends LocalCertificateStore {
  list(folder: string): { files: string[]; folders: string[] }
  /** Writes what was read to a folder of its own in `folder`: what happens to the mounted files is nothing to nginx. */
  keepCopy(usable: UsableCertificate, folder: string): CertificateFiles
  /** Removes the copies of all others. */
  keepOnly(ids: readonly string[], folder: string): void
}

export interface CertificateSettings extends LocalCertificateSettings {
  /** Refuse, rather than serve one of the local CA: tls.required asks for that. */
  isRequired: boolean
  /** Where certificates from a CA are kept, a folder for each plan; undefined without ACME. */
  acme: { folder: string; plans: readonly AcmePlan[] } | undefined
}

const issuedPair = { chain: 'fullchain.pem', key: 'privkey.pem' }

export interface ServedCertificate extends UsableCertificate {
  source: CertificateSource
}

export interface MountedSearch {
  usable: ServedCertificate[]
  problems: CertificateProblem[]
  /** Every certificate file that has a key, usable or not: the first usable one serves whoever asks for no known name. */
  order: string[]
}

/** Looks for the mounted certificates in a folder and the folders in it, and says what is wrong with each that is unusable. */
export function findMounted(store: CertificateStore, certDir: string, now: number): MountedSearch {
  const top = tryToList(store, certDir)
  const folders = 'problem' in top ? [] : top.folders
  const found = [certDir, ...folders.map(name => join(certDir, name))].map(folder => findInFolder(store, folder, now))
  return {
    usable: found.flatMap(({ usable }) => usable),
    problems: found.flatMap(({ problems }) => problems),
    order: found.flatMap(({ order }) => order),
  }
}

/** A folder that cannot be read holds up no other. */
function findInFolder(store: CertificateStore, folder: string, now: number): MountedSearch {
  const listed = tryToList(store, folder)
  if ('problem' in listed) return { usable: [], problems: [listed], order: [] }
  const { pairs, lonely } = findPairs(listed.files)
  const readings = pairs.map(pair => store.read(folder, pair))
  const { usable, problems } = chooseCertificates(readings, now)
  const orphaned = lonely.map(name => {
    const isKey = name.endsWith('.key') || /^(priv)?key\.pem$/.test(name)
    return {
      files: { chain: join(folder, name), key: '' },
      problem: isKey
        ? `the key ${join(folder, name)} has no certificate beside it`
        : `the certificate ${join(folder, name)} has no key beside it`,
      fix: 'mount both as fullchain.pem + privkey.pem, tls.crt + tls.key, cert.pem + key.pem, or NAME.pem + NAME.key',
    }
  })
  return {
    usable: usable.map(pair => ({ source: 'mounted', ...pair })),
    problems: [...problems, ...orphaned],
    order: readings.map(({ files }) => files.chain),
  }
}

/** What is to be served, and what was passed over. */
export interface Found {
  certificates: ServedCertificate[]
  problems: CertificateProblem[]
  order: string[]
  /** Of the local certificate, when that one serves. */
  localAuthority: LocalAuthorityFacts | undefined
}

/** The latest usable certificate that the CA issued for a name. A folder that cannot be read holds up nothing. */
function findIssued(store: CertificateStore, folder: string, now: number): Pick<Found, 'certificates' | 'problems'> {
  const listed = tryToList(store, folder)
  if ('problem' in listed)
    return { certificates: [], problems: [{ ...listed, fix: 'let monohull read its state_dir' }] }
  const readings = listed.folders.map(id => store.read(join(folder, id), issuedPair))
  const { usable, problems } = chooseCertificates(readings, now)
  usable.sort((a, b) => b.certificate.notBefore - a.certificate.notBefore)
  return {
    certificates: usable.slice(0, 1).map(latest => ({ source: 'acme', ...latest })),
    // what has expired is only history
    problems: problems.filter(({ endsAt }) => endsAt !== undefined),
  }
}

/** Those of the plans; for names without one also what an earlier plan left, such as before names were put together. */
function findAllIssued(
  store: CertificateStore,
  { folder, plans }: NonNullable<CertificateSettings['acme']>,
  { usable, now }: { usable: readonly ServedCertificate[]; now: number },
): Pick<Found, 'certificates' | 'problems'>[] {
  const planned = plans.map(({ name }) => folderOf(name))
  const found = planned.map(name => findIssued(store, join(folder, name), now))
  const certificatesIn = (searches: typeof found) => searches.flatMap(({ certificates }) => certificates)
  const domains = plans.flatMap(plan => plan.domains)
  const lacking = (others: readonly ServedCertificate[]) =>
    uncovered(
      domains,
      others.map(({ certificate }) => certificate),
    )
  if (lacking([...usable, ...certificatesIn(found)]).length === 0) return found
  const listed = tryToList(store, folder)
  const former = 'problem' in listed ? [] : listed.folders.filter(name => !planned.includes(name))
  for (const name of former) {
    const served = [...usable, ...certificatesIn(found)]
    const left = findIssued(store, join(folder, name), now)
    if (lacking([...served, ...left.certificates]).length < lacking(served).length) found.push(left)
  }
  return found
}

function tryToList(store: CertificateStore, folder: string): ReturnType<CertificateStore['list']> | CertificateProblem {
  try {
    return store.list(folder)
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    return { files: { chain: folder, key: '' }, problem: error.message, fix: error.fix }
  }
}

export interface ServedDeps extends Pick<Runtime, 'clock' | 'log'> {
  store: CertificateStore
  /** Whether a mounted one is served now, whose place a local one must not take. */
  isMountedServed: boolean
}

/**
 * The certificates to serve now: the mounted ones and those of the CA, else one of the local CA. An OperatorError when that
 * would not do, and there is no other.
 */
export async function findServed(settings: CertificateSettings, deps: ServedDeps): Promise<Found> {
  const { store, clock, log } = deps
  const { usable, order, ...mounted } = findMounted(store, settings.certDir, clock.now())
  const issued = settings.acme ? findAllIssued(store, settings.acme, { usable, now: clock.now() }) : []
  const certificates = [...usable, ...issued.flatMap(found => found.certificates)]
  const problems = [...mounted.problems, ...issued.flatMap(found => found.problems)]
  if (certificates.length > 0) return { certificates, problems, order, localAuthority: undefined }
  if (settings.isRequired || deps.isMountedServed) throw refuseLocal(settings, problems)
  const { authority, ...local } = await localCertificate(store, settings, { clock, log })
  return { certificates: [{ source: 'local-ca', ...local }], problems, order, localAuthority: authority }
}

function refuseLocal({ certDir, isRequired }: CertificateSettings, [first]: CertificateProblem[]): OperatorError {
  const problem = isRequired
    ? `tls.required is set, and ${certDir} has no usable certificate`
    : `a mounted certificate was served so far, and ${certDir} has no usable one now`
  const wayOut = isRequired ? 'unset tls.required' : 'restart monohull, for one of the local CA'
  return new OperatorError(first ? `${problem}: ${first.problem}` : problem, {
    fix: first?.fix ?? `mount fullchain.pem and privkey.pem there, or ${wayOut}`,
  })
}
