import { signFolder } from '../base/adapters/directory-signature.ts'
import { type FolderWatch, watchFolder } from '../base/directory-watch.ts'
import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { isOfInterest } from './directory.ts'
import { describeTimeLeft, expiryStage } from './expiry.ts'
import { type Certificates, type CertificatesSettings, findCertificateChange, type KeptCertificate } from './kept.ts'
import { createLocalRenewal } from './local-ca/renewal.ts'

const everyMs = 1000

export interface CertificateWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The settings in force. */
  settings(): CertificatesSettings
  /** What is served. */
  current(): Certificates | undefined
  lookAtHsts(): void
  /** Has nginx serve what the files hold now. */
  refresh(reason: string): Promise<unknown>
}

/** Takes up what changes in the certificate folder, and warns before certificates end. */
export function watchCertificates({
  clock,
  log,
  settings,
  current,
  lookAtHsts,
  refresh,
}: CertificateWatchDeps): FolderWatch {
  const warned = new Map<string, number>()
  let lastLook = 0
  const local = createLocalRenewal({
    clock,
    log,
    renew: () => refresh('the end of the local certificate'),
  })

  function warnOfExpiry({ source, files, certificate }: KeptCertificate): void {
    const now = clock.now()
    const stage = expiryStage(certificate, now)
    if (source === 'local-ca' || stage <= (warned.get(certificate.id) ?? 0)) return
    warned.set(certificate.id, stage)
    const fields = {
      names: certificate.names.join(','),
      file: files.chain,
      expires: new Date(certificate.notAfter).toISOString(),
    }
    if (certificate.notAfter <= now) log.error('certificate has expired', fields)
    else log.warn('certificate expires soon', { expires_in: describeTimeLeft(certificate.notAfter - now), ...fields })
  }

  async function takeUp(reason: string): Promise<void> {
    const served = current()
    if (!served) return
    const change = await findCertificateChange(settings(), log, served)
    if (change.kind === 'refused') {
      log.warn('certificate not used, what was served stays', { problem: change.problems.join('\n'), fix: change.fix })
    }
    if (change.kind === 'new') await refresh(reason)
  }

  /** One that was not valid yet, by this machine's clock, may be now. */
  function lookForBegun(): void {
    const now = clock.now()
    const hasBegun = current()?.problems.some(({ endsAt }) => endsAt && endsAt > lastLook && endsAt <= now)
    lastLook = now
    if (!hasBegun) return
    takeUp('a certificate that is valid now').catch((error: unknown) =>
      log.error('cannot take up a certificate', { error: messageOf(error) }),
    )
  }

  return watchFolder({
    clock,
    log,
    everyMs,
    what: 'the certificates',
    known: current()?.signature ?? '',
    sign: () => signFolder(settings().config.cert_dir, isOfInterest),
    onRest: () => takeUp(`a change in ${settings().config.cert_dir}`),
    onLook() {
      const { kept } = current() ?? { kept: [] }
      for (const one of kept) warnOfExpiry(one)
      local.look(kept)
      lookForBegun()
      lookAtHsts()
    },
  })
}
