import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import {
  type CertificateFacts,
  type CertificateFiles,
  type CertificateProblem,
  chooseCertificate,
  findPairs,
  isSelfSignedUsable,
  selfSignedNames,
} from '../domain/certificate.ts'
import type { CertificateStore, Surroundings } from '../domain/ports.ts'

export interface CertificateSettings {
  certDir: string
  stateDir: string
  runDir: string
  /** Refuse, rather than serve a self-signed one. */
  isRequired: boolean
  hostname: string
  serverNames: readonly string[]
}

export interface ServedCertificate {
  source: 'mounted' | 'self-signed'
  files: CertificateFiles
  certificate: CertificateFacts
}

export interface MountedSearch {
  chosen: ServedCertificate | undefined
  problems: CertificateProblem[]
}

const selfSignedPair = { chain: 'self-signed.crt', key: 'self-signed.key' }

/** Looks for a usable mounted certificate, and says what is wrong with each that is not. */
export function findMounted(store: CertificateStore, certDir: string, now: number): MountedSearch {
  const { pairs, lonely } = findPairs(store.list(certDir))
  const { chosen, problems } = chooseCertificate(
    pairs.map(pair => store.read(certDir, pair)),
    now,
  )
  const orphaned = lonely.map(name => {
    const isKey = name.endsWith('.key') || /^(priv)?key\.pem$/.test(name)
    return {
      files: { chain: join(certDir, name), key: '' },
      problem: isKey
        ? `the key ${join(certDir, name)} has no certificate beside it`
        : `the certificate ${join(certDir, name)} has no key beside it`,
      fix: 'mount both as fullchain.pem + privkey.pem, tls.crt + tls.key, cert.pem + key.pem, or NAME.pem + NAME.key',
    }
  })
  return { chosen: chosen && { source: 'mounted', ...chosen }, problems: [...problems, ...orphaned] }
}

/**
 * The certificate to serve now: the mounted one, else a self-signed one kept in the state folder (or, where that is
 * read-only, in the run folder). An OperatorError when tls.required asks for a mounted one and there is none.
 */
export async function chooseServed(
  store: CertificateStore,
  settings: CertificateSettings,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
): Promise<ServedCertificate> {
  const { chosen, problems } = findMounted(store, settings.certDir, clock.now())
  for (const { problem, fix } of problems) log.warn('certificate not used', { problem, fix })
  if (chosen) {
    log.info('certificate found', {
      file: chosen.files.chain,
      names: chosen.certificate.names.join(','),
      expires: new Date(chosen.certificate.notAfter).toISOString(),
    })
    return chosen
  }
  if (settings.isRequired) {
    throw new OperatorError(
      `a mounted certificate is required, and ${settings.certDir} has no usable one${problems[0] ? `: ${problems[0].problem}` : ''}`,
      {
        fix:
          problems[0]?.fix ??
          'mount fullchain.pem and privkey.pem there, or unset tls.required (after a restart, when one was served)',
      },
    )
  }
  return selfSigned(store, settings, { clock, log })
}

async function selfSigned(
  store: CertificateStore,
  settings: CertificateSettings,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
): Promise<ServedCertificate> {
  const fallback = join(settings.runDir, 'certificates')
  const wanted = selfSignedNames('', settings.serverNames) // a container's host name changes with every run
  for (const folder of [settings.stateDir, fallback]) {
    const kept = store.read(folder, selfSignedPair)
    if (kept.ok && isSelfSignedUsable(kept.certificate, wanted, clock.now())) {
      return { source: 'self-signed', files: kept.files, certificate: kept.certificate }
    }
  }
  const names = selfSignedNames(settings.hostname, settings.serverNames)
  const isKept = store.isWritable(settings.stateDir)
  const folder = isKept ? settings.stateDir : fallback
  await store.createSelfSigned(
    { chain: join(folder, selfSignedPair.chain), key: join(folder, selfSignedPair.key) },
    names,
  )
  const made = store.read(folder, selfSignedPair)
  if (!made.ok)
    throw new OperatorError(`cannot use the self-signed certificate just made: ${made.problem}`, { fix: made.fix })
  log.warn('no certificate mounted, serving a self-signed one', {
    names: names.join(','),
    cert_dir: settings.certDir,
    kept_in: isKept ? folder : `${folder} (state_dir ${settings.stateDir} is not writable)`,
  })
  return { source: 'self-signed', files: made.files, certificate: made.certificate }
}
