import { signFolder } from '../adapters/folder-signature.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { describeTimeLeft, expiryStage } from '../domain/certificate-expiry.ts'
import { type FolderWatch, watchFolder } from '../services/folder-watch.ts'
import { createLocalRenewal } from '../services/local-renewal.ts'
import type { KeptCertificate } from './certificates.ts'
import type { Parts } from './parts.ts'
import { findCertificateChange } from './refresh-certificates.ts'

const everyMs = 1000

/** Takes up what changes in the certificate folder, and warns before certificates end. */
export function watchCertificates(parts: Parts): FolderWatch {
  const { log } = parts
  const warned = new Map<string, number>()
  let lastLook = 0
  const local = createLocalRenewal({
    clock: systemClock,
    log,
    renew: () => parts.command({ type: 'refreshCertificates' }, 'the end of the local certificate'),
  })

  function warnOfExpiry({ source, files, certificate }: KeptCertificate): void {
    const now = systemClock.now()
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
    const change = await findCertificateChange(parts)
    if (change.kind === 'refused') {
      log.warn('certificate not used, what was served stays', { problem: change.problems.join('\n'), fix: change.fix })
    }
    if (change.kind === 'new') await parts.command({ type: 'refreshCertificates' }, reason)
  }

  /** One that was not valid yet, by this machine's clock, may be now. */
  function lookForBegun(): void {
    const now = systemClock.now()
    const hasBegun = parts.certificates?.problems.some(({ endsAt }) => endsAt && endsAt > lastLook && endsAt <= now)
    lastLook = now
    if (!hasBegun) return
    takeUp('a certificate that is valid now').catch((error: unknown) =>
      log.error('cannot take up a certificate', { error: messageOf(error) }),
    )
  }

  function tellOfHsts(): void {
    log.info('HSTS changed', { header: parts.hsts?.header()?.value ?? 'none' })
    void parts.rotation?.changed()
  }

  return watchFolder({
    clock: systemClock,
    log,
    everyMs,
    what: 'the certificates',
    known: parts.certificates?.signature ?? '',
    sign: () => signFolder(parts.settings.config.cert_dir),
    onRest: () => takeUp(`a change in ${parts.settings.config.cert_dir}`),
    onLook() {
      const { kept } = parts.certificates ?? { kept: [] }
      for (const one of kept) warnOfExpiry(one)
      local.look(kept)
      lookForBegun()
      if (parts.hsts?.look(kept)) tellOfHsts()
    },
  })
}
