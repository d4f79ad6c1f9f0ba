import { join } from 'node:path'
import { OperatorError } from '../base/errors.ts'
import { isSelfSignedUsable, selfSignedNames, type UsableCertificate } from '../domain/certificate.ts'
import type { CertificateStore, Surroundings } from '../domain/ports.ts'

export interface SelfSignedSettings {
  certDir: string
  stateDir: string
  runDir: string
  hostname: string
  serverNames: readonly string[]
}

const pair = { chain: 'self-signed.crt', key: 'self-signed.key' }

/** The self-signed certificate that is kept, or a new one. */
export async function selfSignedCertificate(
  store: CertificateStore,
  settings: SelfSignedSettings,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
): Promise<UsableCertificate> {
  const fallback = join(settings.runDir, 'certificates')
  const wanted = selfSignedNames('', settings.serverNames) // a container's host name changes with every run
  for (const folder of [settings.stateDir, fallback]) {
    const kept = store.read(folder, pair)
    if (kept.ok && isSelfSignedUsable(kept.certificate, wanted, clock.now())) return kept
  }
  const names = selfSignedNames(settings.hostname, settings.serverNames)
  const isKept = store.isWritable(settings.stateDir)
  const folder = isKept ? settings.stateDir : fallback
  await store.createSelfSigned({ chain: join(folder, pair.chain), key: join(folder, pair.key) }, names)
  const made = store.read(folder, pair)
  if (!made.ok)
    throw new OperatorError(`cannot use the self-signed certificate just made: ${made.problem}`, { fix: made.fix })
  log.warn('no certificate mounted, serving a self-signed one', {
    names: names.join(','),
    cert_dir: settings.certDir,
    kept_in: isKept ? folder : `${folder} (state_dir ${settings.stateDir} is not writable)`,
  })
  return made
}
