import { join } from 'node:path'
import { messageOf, OperatorError } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { CertificateFiles, CertificateReading, UsableCertificate } from '../certificate.ts'
import type { Scope } from '../x509.ts'
import { isWithin } from './name-constraints.ts'
import { authorityScope, isAuthorityUsable, isLocalUsable, localNames, serverScope } from './profile.ts'

/** The CA that monohull is to itself, where nobody else's certificate serves. Files are for their owner only. */
export interface LocalAuthority {
  /** What the CA of a certificate file may sign for. */
  scopeOf(chain: string): Scope
  /** Makes a CA; `host` is a word of its name. */
  create(files: CertificateFiles, wanted: { host: string; scope: Scope; now: number }): void
  /** Makes a key and has the CA of `authority` sign a certificate for it. */
  sign(files: CertificateFiles, authority: CertificateFiles, wanted: { names: Scope; now: number }): void
}

/** Files of local certificates. */
export interface LocalCertificateStore {
  read(folder: string, names: CertificateFiles): CertificateReading
  localAuthority(): Promise<LocalAuthority>
  remove(files: CertificateFiles): void
  isWritable(folder: string): boolean
}

export interface LocalCertificateSettings {
  certDir: string
  stateDir: string
  runDir: string
  hostname: string
  /** Every host name that the configuration has. */
  names: readonly string[]
}

/** The CA that signed a local certificate; without its key. */
export type LocalAuthorityFacts = Pick<UsableCertificate, 'files' | 'certificate'>

export interface LocalCertificate extends UsableCertificate {
  authority: LocalAuthorityFacts
}

const pair = { chain: 'local.crt', key: 'local.key' }
const authorityPair = { chain: 'local-ca.crt', key: 'local-ca.key' }
/** What an earlier version made. */
const formerPair = { chain: 'self-signed.crt', key: 'self-signed.key' }

/**
 * The certificate that serves where nobody gave one: the one that is kept, or a new one, signed by a CA that is kept beside it, in
 * the state folder or, where that is read-only, in the run folder. The CA is made anew when it may not sign for a name.
 */
export async function localCertificate(
  store: LocalCertificateStore,
  settings: LocalCertificateSettings,
  { clock, log }: Pick<Runtime, 'clock' | 'log'>,
): Promise<LocalCertificate> {
  const { stateDir, certDir, hostname } = settings
  const fallback = join(settings.runDir, 'certificates')
  const now = clock.now()
  const wanted = localNames('', settings.names) // a container's host name changes with every run
  const authorities = findAuthorities(store, [stateDir, fallback], now)
  const kept = findKept(store, [stateDir, fallback], { authorities, wanted, now })
  if (kept) return kept

  const local = await store.localAuthority()

  function makeIn(folder: string): { made: UsableCertificate; authority: UsableCertificate; names: string[] } {
    const known = authorities.find(({ files }) => isWithin(local.scopeOf(files.chain), serverScope(wanted)))
    const authority = known ?? makeAuthority(local, store, { folder, settings, now })
    if (!known) log.info('local CA made', { file: authority.files.chain, trust: 'monohull cert trust-info' })
    const scope = local.scopeOf(authority.files.chain)
    const names = localNames(hostname, settings.names).filter(name => isWithin(scope, serverScope([name])))
    local.sign(placeIn(folder, pair), authority.files, { names: serverScope(names), now })
    const made = expectUsable(store.read(folder, pair))
    store.remove(placeIn(folder, formerPair))
    return { made, authority, names }
  }

  const refusals: string[] = []
  for (const folder of [stateDir, fallback]) {
    try {
      if (folder === stateDir && !store.isWritable(stateDir)) throw new Error('it is not writable')
      const { made, authority, names } = makeIn(folder)
      log.warn('no certificate mounted, serving one of the local CA', {
        names: names.join(','),
        cert_dir: certDir,
        kept_in: folder === stateDir ? folder : `${folder} (not in state_dir ${refusals.join()})`,
      })
      return { ...made, authority: withoutKey(authority) }
    } catch (error) {
      refusals.push(`${folder}: ${messageOf(error)}`)
    }
  }
  throw new OperatorError(`cannot make a local certificate in ${refusals.join(', nor in ')}`, {
    fix: 'let monohull write there, or mount a certificate in cert_dir',
  })
}

function findAuthorities(store: LocalCertificateStore, folders: readonly string[], now: number): UsableCertificate[] {
  return folders.flatMap(folder => {
    const read = store.read(folder, authorityPair)
    return read.ok && isAuthorityUsable(read.certificate, now) ? [read] : []
  })
}

function findKept(
  store: LocalCertificateStore,
  folders: readonly string[],
  { authorities, wanted, now }: { authorities: readonly UsableCertificate[]; wanted: readonly string[]; now: number },
): LocalCertificate | undefined {
  for (const folder of folders) {
    const kept = store.read(folder, pair)
    if (!kept.ok || !isLocalUsable(kept.certificate, wanted, now)) continue
    const authority = authorities.find(({ certificate }) => certificate.subject === kept.certificate.issuer)
    if (authority) return { ...kept, authority: withoutKey(authority) }
  }
  return undefined
}

function makeAuthority(
  local: LocalAuthority,
  store: LocalCertificateStore,
  { folder, settings, now }: { folder: string; settings: LocalCertificateSettings; now: number },
): UsableCertificate {
  const [, host = ''] = localNames(settings.hostname, [])
  const scope = authorityScope(localNames(settings.hostname, settings.names))
  local.create(placeIn(folder, authorityPair), { host, scope, now })
  return expectUsable(store.read(folder, authorityPair))
}

function placeIn(folder: string, { chain, key }: CertificateFiles): CertificateFiles {
  return { chain: join(folder, chain), key: join(folder, key) }
}

function expectUsable(reading: ReturnType<LocalCertificateStore['read']>): UsableCertificate {
  if (reading.ok) return reading
  throw new Error(reading.problem)
}

function withoutKey({ files, certificate }: UsableCertificate): LocalAuthorityFacts {
  return { files, certificate }
}
