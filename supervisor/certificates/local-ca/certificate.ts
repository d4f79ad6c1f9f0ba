import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { messageOf, OperatorError } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { CertificateFiles, CertificateReading, UsableCertificate } from '../certificate.ts'
import { warnOfClockBehind } from '../clock-warning.ts'
import type { Scope } from '../x509.ts'
import { isWithin } from './name-constraints.ts'
import { authorityScope, isAuthorityUsable, isLocalUsable, localNames, localTime, serverScope } from './profile.ts'

/** Local CA, used if there is no other certificate. Its files are readable only by their owner. */
export interface LocalAuthority {
  /** Names that the CA of a certificate file may sign for. */
  scopeOf(chain: string): Scope
  /** Creates a CA; `host` becomes part of its name. */
  create(files: CertificateFiles, wanted: { host: string; scope: Scope; now: number }): void
  /** Creates a key, and a certificate for it that the CA of `authority` signs. */
  sign(files: CertificateFiles, authority: CertificateFiles, wanted: { names: Scope; now: number }): void
}

/** Files of local certificates. */
export interface LocalCertificateStore {
  read(directory: string, names: CertificateFiles): CertificateReading
  localAuthority(): Promise<LocalAuthority>
  remove(files: CertificateFiles): void
  rename(from: CertificateFiles, to: CertificateFiles): void
  isWritable(directory: string): boolean
  /** Runs something while no other instance that uses the directory does. */
  alone<T>(directory: string, clock: Clock, act: () => T): Promise<T>
}

/** Settings of the local certificate. */
export interface LocalCertificateSettings {
  certDir: string
  stateDir: string
  runDir: string
  hostname: string
  /** Every host name in the configuration. */
  names: readonly string[]
}

/** CA that signed a local certificate, without its key. */
export type LocalAuthorityFacts = Pick<UsableCertificate, 'files' | 'certificate'>

/** Local certificate and its CA. */
export interface LocalCertificate extends UsableCertificate {
  authority: LocalAuthorityFacts
}

const pair = { chain: 'local.crt', key: 'local.key' }
const authorityPair = { chain: 'local-ca.crt', key: 'local-ca.key' }
/** CA that was replaced because it had expired by the clock. If it has not, because the clock was ahead, it is used again. */
const expiredPair = { chain: 'local-ca-expired.crt', key: 'local-ca-expired.key' }
/** Names used by an earlier version. */
const formerPair = { chain: 'self-signed.crt', key: 'self-signed.key' }

/**
 * Certificate to serve if there is no other: the stored one, or a new one. The local CA that signs it is stored next to it, in
 * `state_dir` or, if that is read-only, in `run_dir`. A new CA is created if the stored one may not sign for a configured name.
 */
export async function localCertificate(
  store: LocalCertificateStore,
  settings: LocalCertificateSettings,
  { clock, log, rejected }: Pick<Runtime, 'clock' | 'log'> & { rejected?: string | undefined },
): Promise<LocalCertificate> {
  const { stateDir, certDir, hostname } = settings
  const fallback = join(settings.runDir, 'certificates')
  const now = clock.now()
  const wanted = localNames('', settings.names) // without the host name, which differs in every container
  const kept = findKept(store, [stateDir, fallback], { wanted, now })
  if (kept) {
    warnOfClock(kept.authority)
    return kept
  }

  const local = await store.localAuthority()

  function warnOfClock({ certificate, files }: LocalAuthorityFacts): void {
    warnOfClockBehind(log, { now, passed: certificate.notBefore, evidence: `the local CA ${files.chain}` })
  }

  function createIn(directory: string): LocalCertificate {
    // another instance may have created it meanwhile
    const present = findKept(store, [stateDir, fallback], { wanted, now })
    if (present) {
      warnOfClock(present.authority)
      return present
    }
    const authorities = findAuthorities(store, [stateDir, fallback], now)
    const known = authorities.find(({ files }) => isWithin(local.scopeOf(files.chain), serverScope(wanted)))
    const authority = known ?? newAuthority(local, store, { directory, settings, now })
    warnOfClock(authority)
    const [replaced] = known ? [] : authorities
    if (replaced)
      log.warn('local CA replaced: it may not sign for every configured name', {
        names: wanted.join(','),
        fix: 'trust the new one on every device; if instances with other names use this state_dir, give each its own',
      })
    if (!known) log.info('local CA created', { file: authority.files.chain, trust: 'monohull cert trust-info' })
    const scope = local.scopeOf(authority.files.chain)
    const shared = namesToKeep(store.read(directory, pair), authority, now)
    const names = localNames(hostname, [...settings.names, ...shared]).filter(name =>
      isWithin(scope, serverScope([name])),
    )
    const time = localTime(authority.certificate, now)
    local.sign(pathsIn(directory, pair), authority.files, { names: serverScope(names), now: time })
    const created = expectUsable(store.read(directory, pair))
    store.remove(pathsIn(directory, formerPair))
    const reason = rejected === undefined ? 'no certificate mounted' : 'no mounted certificate is usable'
    log.warn(`${reason}, serving one from the local CA`, {
      rejected,
      names: names.join(','),
      cert_dir: certDir,
      kept_in: directory === stateDir ? directory : `${directory} (not in state_dir ${failures.join()})`,
    })
    return { ...created, authority: withoutKey(authority) }
  }

  const failures: string[] = []
  for (const directory of [stateDir, fallback]) {
    try {
      if (directory === stateDir && !store.isWritable(stateDir)) throw new Error('it is not writable')
      return await store.alone(directory, clock, () => createIn(directory))
    } catch (error) {
      failures.push(`${directory}: ${messageOf(error)}`)
    }
  }
  throw new OperatorError(`cannot create a local certificate in ${failures.join(', nor in ')}`, {
    fix: 'make one of them writable for monohull, or mount a certificate in cert_dir',
  })
}

function findAuthorities(
  store: LocalCertificateStore,
  directories: readonly string[],
  now: number,
): UsableCertificate[] {
  return directories.flatMap(directory =>
    [expiredPair, authorityPair].flatMap(files => {
      const read = store.read(directory, files)
      return read.ok && isAuthorityUsable(read.certificate, now) ? [read] : []
    }),
  )
}

function findKept(
  store: LocalCertificateStore,
  directories: readonly string[],
  { wanted, now }: { wanted: readonly string[]; now: number },
): LocalCertificate | undefined {
  const authorities = findAuthorities(store, directories, now)
  for (const directory of directories) {
    const kept = store.read(directory, pair)
    if (!kept.ok) continue
    // only the first: it may have come back into use
    const [authority] = authorities
    if (authority?.certificate.subject !== kept.certificate.issuer) continue
    // if the clock is behind for certain, the certificate is better evidence
    const isBehind = authority.certificate.notBefore > now
    const time = isBehind ? Math.max(authority.certificate.notBefore, kept.certificate.notBefore) : now
    if (isLocalUsable(kept.certificate, wanted, time)) return { ...kept, authority: withoutKey(authority) }
  }
  return undefined
}

/**
 * Names of the present certificate that its successor has as well, until it is due for renewal. Another instance with this state
 * directory may need them: without them, the two would replace each other's certificate in turn.
 */
function namesToKeep(present: CertificateReading, authority: UsableCertificate, now: number): string[] {
  if (!present.ok || present.certificate.issuer !== authority.certificate.subject) return []
  if (!isLocalUsable(present.certificate, [], localTime(authority.certificate, now))) return []
  return present.certificate.names.filter(name => name !== '127.0.0.1')
}

function newAuthority(
  local: LocalAuthority,
  store: LocalCertificateStore,
  { directory, settings, now }: { directory: string; settings: LocalCertificateSettings; now: number },
): UsableCertificate {
  const [, host = ''] = localNames(settings.hostname, [])
  const scope = authorityScope(localNames(settings.hostname, settings.names))
  const current = store.read(directory, authorityPair)
  if (current.ok && current.certificate.keyMatches && !isAuthorityUsable(current.certificate, now))
    store.rename(pathsIn(directory, authorityPair), pathsIn(directory, expiredPair))
  local.create(pathsIn(directory, authorityPair), { host, scope, now })
  return expectUsable(store.read(directory, authorityPair))
}

function pathsIn(directory: string, { chain, key }: CertificateFiles): CertificateFiles {
  return { chain: join(directory, chain), key: join(directory, key) }
}

function expectUsable(reading: ReturnType<LocalCertificateStore['read']>): UsableCertificate {
  if (reading.ok) return reading
  throw new Error(reading.problem)
}

function withoutKey({ files, certificate }: UsableCertificate): LocalAuthorityFacts {
  return { files, certificate }
}
